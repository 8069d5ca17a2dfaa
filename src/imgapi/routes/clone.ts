/** CloneImage, where images have owners. */
import { invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { cloneImage } from '../../images/cloning/clone.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { imageReply, visibleImageForWrite } from '../image-call.ts';

/** None outside `dc` mode. */
export function cloneRoutes(service: Service): Route[] {
  async function clone(call: Call): Promise<Reply> {
    const { stored: source } = await visibleImageForWrite(service, call);
    const { account } = call;
    if (account === undefined) {
      throw invalidParameter('account', 'name the account that the clone is for', 'MissingParameter');
    }
    const stored = await cloneImage(service, source.value, account, call.signal);
    call.log.info({ image: stored.key, source: source.key, account, req_id: call.requestId }, 'image cloned');
    return imageReply(service, call, stored, false);
  }

  if (service.config.mode !== 'dc') return [];
  return [{ name: 'CloneImage', method: 'POST', path: '/images/:uuid/clone', auth: 'strict', handler: clone }];
}
