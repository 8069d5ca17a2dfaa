/** AddImageAcl and RemoveImageAcl: sharing an image, and leaving one that was shared. */
import { invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { assertMayChangeAs } from '../../images/record/access.ts';
import { addAcl, assertEntries, leaveShare, removeAcl } from '../../images/sharing/shares.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { imageReply, viewerOf, visibleImageForWrite, writeGuard } from '../image-call.ts';

export function aclRoutes(service: Service): Route[] {
  async function change(call: Call): Promise<Reply> {
    const { action = 'add' } = call.query;
    const { stored, relation } = await visibleImageForWrite(service, call);
    const viewer = viewerOf(service, call);
    const isLeaving = action === 'remove' && relation === 'sharee';
    if (!isLeaving) assertMayChangeAs(relation, stored.value, viewer);
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
    if (isLeaving && viewer.account !== undefined) {
      await leaveShare(service, uuid, viewer.account, entries);
      return { status: 204 };
    }
    const guard = writeGuard(service, call);
    const change = action === 'add' ? addAcl : removeAcl;
    const changed = await change(service, uuid, entries, guard);
    return imageReply(service, call, changed);
  }

  return [{ name: 'ImageAcl', method: 'POST', path: '/images/:uuid/acl', auth: 'strict', handler: change }];
}
