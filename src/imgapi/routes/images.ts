/** GetImage, ListImages, CreateImage, DeleteImage, GetImageAncestry. */

import type { IMAGES } from '#lib/api/imgapi/images.ts';
import { isNotModified } from '../../http-kit/conditional.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { ancestryOf } from '../../images/ancestry.ts';
import { createImage } from '../../images/create.ts';
import { deleteImage } from '../../images/delete.ts';
import { findDeleted } from '../../images/deleted/kept.ts';
import { purgeDeleted } from '../../images/deleted/purge.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { type RenderedImage, renderImage, renderImageList } from '../../images/record/serialize.ts';
import type { Caller, Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { idempotencyKey } from '../idempotency-key.ts';
import {
  changeRequest,
  channelOf,
  deletableImage,
  imageReply,
  imageUuid,
  keptImage,
  readableImage,
  readableImageAs,
  render,
  viewerOf,
  viewOf,
} from '../image-call.ts';
import { usageOf } from '../usage.ts';
import { listImagesHandler } from './list-images.ts';

/** What DeleteImage needs of copies. */
export interface PlaceholderDeleter {
  /** Cancels a copy that is under way, or removes what a failed one left behind. */
  deletePlaceholder(stored: StoredImage, caller: Caller): Promise<void>;
}

export function imageHandlers(service: Service, copies: PlaceholderDeleter): Handlers<typeof IMAGES, Call> {
  async function read(call: Call): Promise<Reply> {
    const stored = await readableImage(service, call);
    const [image] = await render(service, call, [stored]);
    if (!image) throw new Error('render returns one image for each that it is given');
    return answer(call, image);
  }

  return {
    ListImages: listImagesHandler(service),

    GetImage(call) {
      const kept = keptImage(service, call);
      const view = kept && viewOf(service, call);
      // From version 3 on, the login of the owner has to be asked for.
      return kept && view && view.version !== 3 ? answer(call, renderImage(kept.value, view)) : read(call);
    },

    async CreateImage(call) {
      const channel = channelOf(service, call, 'write');
      const key = idempotencyKey(call);
      const { account, version, requestId } = call;
      const body = await call.json();
      const stored = await createImage(service, { body, account, channel, version, requestId, key });
      call.log.info({ image: stored.key, owner: stored.value.owner, req_id: call.requestId }, 'image created');
      return imageReply(service, call, stored);
    },

    async DeleteImage(call, query) {
      const deleted = await findDeleted(service, imageUuid(call), viewerOf(service, call));
      if (deleted && query.purge) {
        await purgeDeleted(service, changeRequest(service, call));
        return { status: 204 };
      }
      await deletableImage(service, call);
      // Only now: whether the image may be deleted is answered before what is wrong with the flags.
      const { force_all_channels: forceAllChannels = false, purge = false } = query;
      await deleteImage(service, {
        ...changeRequest(service, call),
        ...{ forceAllChannels, purge },
        deletePlaceholder: (placeholder) => copies.deletePlaceholder(placeholder, call),
      });
      return { status: 204 };
    },

    async GetImageAncestry(call) {
      const { stored, relation } = await readableImageAs(service, call);
      const chain = await ancestryOf(service, viewerOf(service, call), stored, relation);
      return { text: renderImageList(await render(service, call, chain, viewOf(service, call))) };
    },

    async GetImageUsage(call) {
      const { value: record } = await readableImage(service, call);
      const channel = channelOf(service, call, 'read');
      return { json: await usageOf(service, call, { record, viewer: viewerOf(service, call), channel }) };
    },
  };
}

function answer(call: Call, { body, etag }: RenderedImage): Reply {
  const headers = { Etag: etag };
  return isNotModified(call, { etag }) ? { status: 304, headers } : { text: body, headers };
}
