/** Deleted images that can still be restored, and the protection of images from deletion. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { DELETED } from '#lib/api/imgapi/deleted.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { findDeleted } from '../../images/deleted/kept.ts';
import { listDeleted } from '../../images/deleted/list-deleted.ts';
import { purgeDeleted } from '../../images/deleted/purge.ts';
import { undeleteImage } from '../../images/deleted/undelete.ts';
import { setProtected } from '../../images/protection.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { changeRequest, imageReply, imageUuid, viewerOf, writableImage } from '../image-call.ts';

const LISTED = 1000;

export function deletedHandlers(service: Service): Handlers<typeof DELETED, Call> {
  async function protection(call: Call, isProtected: boolean): Promise<Reply> {
    await writableImage(service, call);
    return imageReply(service, call, await setProtected(service, changeRequest(service, call), { isProtected }));
  }

  /** @throws 404; 409 ImageNotDeleted and what else is said to who asks that of an image that is here */
  async function assertDeleted(call: Call): Promise<void> {
    const uuid = imageUuid(call);
    if (await findDeleted(service, uuid, viewerOf(service, call))) return;
    await writableImage(service, call);
    throw new ApiError('ImageNotDeleted', `image "${uuid}" is not deleted`);
  }

  return {
    async ListDeletedImages(call, { limit = LISTED, marker }) {
      return { json: await listDeleted(service, { account: call.account, limit, marker }, call.signal) };
    },

    async UndeleteImage(call) {
      await assertDeleted(call);
      return imageReply(service, call, await undeleteImage(service, changeRequest(service, call)));
    },

    async PurgeImage(call) {
      await assertDeleted(call);
      await purgeDeleted(service, changeRequest(service, call));
      return { status: 204 };
    },

    ProtectImage: (call) => protection(call, true),
    UnprotectImage: (call) => protection(call, false),
  };
}
