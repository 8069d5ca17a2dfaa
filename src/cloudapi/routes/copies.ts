/** GetImageCopy and CancelImageCopy: a copy from another datacenter, while it runs and afterwards. */
import type { Reply } from '../../http-kit/call.ts';
import { missing } from '../errors.ts';
import { JSON_LINES, passedOn, wantsLines } from '../reply.ts';
import { type CloudapiRoute, imageId, optionalFlag, optionalText, type Request } from '../request.ts';

export const copyRoutes: readonly CloudapiRoute[] = [
  { name: 'GetImageCopy', method: 'GET', path: '/:account/images/:id/copy', handler: getCopy },
  { name: 'CancelImageCopy', method: 'DELETE', path: '/:account/images/:id/copy', handler: cancelCopy },
];

/** With `plan=true` what a copy from `datacenter` would bring. */
async function getCopy(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf, call } = request;
  const id = imageId(request);
  if (optionalFlag(call.query, 'plan')) {
    const datacenter = optionalText(call.query, 'datacenter');
    if (datacenter === undefined) throw missing('datacenter', 'the name of the datacenter that has the image');
    return { json: await cloudapi.imgapi.copyPlan(id, datacenter, onBehalf) };
  }
  if (!wantsLines(request)) return { json: await cloudapi.imgapi.getCopy(id, onBehalf) };
  const watch = { method: 'GET', path: `/images/${id}/copy`, headers: { accept: JSON_LINES } } as const;
  return passedOn(await cloudapi.imgapi.send(watch, onBehalf), ['content-type']);
}

async function cancelCopy(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  return { json: await cloudapi.imgapi.cancelCopy(imageId(request), onBehalf) };
}
