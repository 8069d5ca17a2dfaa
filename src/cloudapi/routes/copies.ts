/** A copy from another datacenter, while it runs and afterwards. */
import type { COPIES } from '#lib/api/cloudapi/copies.ts';
import { callOf } from '#lib/client/methods.ts';
import { JSON_LINES, wantsLines } from '../../http-kit/json-lines.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { passedOn } from '../reply.ts';
import type { Cloudapi } from '../service.ts';

export function copyHandlers({ imgapi }: Cloudapi): Handlers<typeof COPIES, Call> {
  return {
    async GetImageCopy(call, query) {
      const { imageId: id, onBehalf } = call;
      if (query.plan) {
        const { datacenter } = query;
        return { json: await imgapi.planImageCopy(id, datacenter, onBehalf) };
      }
      if (!wantsLines(call)) return { json: await imgapi.getImageCopy(id, onBehalf) };
      const watch = { ...callOf('GetImageCopy', [id]), headers: { accept: JSON_LINES } };
      return passedOn(await imgapi.send(watch, onBehalf), ['content-type']);
    },

    async CancelImageCopy({ imageId, onBehalf }) {
      return { json: await imgapi.cancelImageCopy(imageId, onBehalf) };
    },
  };
}
