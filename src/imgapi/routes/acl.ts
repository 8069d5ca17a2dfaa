/** AddImageAcl and RemoveImageAcl: sharing an image, and leaving one that was shared. */
import { invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { assertMayChangeAs } from '../../images/record/access.ts';
import { addAcl, assertEntries, removeAcl } from '../../images/sharing/shares.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { changeRequest, imageReply, viewerOf, visibleImageForWrite } from '../image-call.ts';

export function aclRoutes(service: Service): Route[] {
  async function change(call: Call): Promise<Reply> {
    const { action = 'add' } = call.query;
    const { stored, relation } = await visibleImageForWrite(service, call);
    const viewer = viewerOf(service, call);
    const mayLeave = action === 'remove' && relation === 'sharee';
    if (!mayLeave) assertMayChangeAs(relation, stored.value, viewer);
    if (action !== 'add' && action !== 'remove') {
      throw invalidParameter('action', `action is ${JSON.stringify(action)}; it must be add or remove`);
    }
    const entries = await call.json();
    // What an account may name to leave, it may name whatever the version: it was shown to it as typed.
    assertEntries(service, entries, call.version);
    const { key: uuid } = stored;
    call.log.info(
      { image: uuid, acl: action, account: viewer.account, entries: entries.length, req_id: call.requestId },
      'acl',
    );
    const change = action === 'add' ? addAcl : removeAcl;
    const changed = await change(service, changeRequest(service, call), entries);
    return changed ? imageReply(service, call, changed) : { status: 204 };
  }

  return [{ name: 'ImageAcl', method: 'POST', path: '/images/:uuid/acl', auth: 'strict', handler: change }];
}
