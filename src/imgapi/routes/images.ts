/** GetImage, ListImages, CreateImage, DeleteImage, GetImageAncestry. */
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { isNotModified } from '../../http-kit/conditional.ts';
import { flag, parameters } from '../../http-kit/parameters.ts';
import { ancestryOf } from '../../images/ancestry.ts';
import { createImage } from '../../images/create.ts';
import { deleteImage } from '../../images/delete.ts';
import type { StoredImage } from '../../images/record/load.ts';
import { renderImageList } from '../../images/record/serialize.ts';
import type { Caller, Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import {
  changeRequest,
  channelOf,
  deletableImage,
  imageReply,
  imageUuid,
  readableImage,
  readableImageAs,
  render,
  viewerOf,
  viewOf,
} from '../image-call.ts';
import { assertVersion3 } from '../versions.ts';
import { listRoute } from './list-images.ts';

/** What DeleteImage needs of copies. */
export interface PlaceholderDeleter {
  /** Cancels a live copy, or removes the rest of a failed one. */
  deletePlaceholder(stored: StoredImage, caller: Caller): Promise<void>;
}

export function imageRoutes(service: Service, copies: PlaceholderDeleter): Route[] {
  async function getImage(call: Call): Promise<Reply> {
    imageUuid(call);
    const stored = await readableImage(service, call);
    const [image] = await render(service, call, [stored]);
    if (!image) throw new Error('render answers an image for each one given');
    const headers = { Etag: image.etag };
    if (isNotModified(call, { etag: image.etag })) return { status: 304, headers };
    return { text: image.body, headers };
  }

  async function create(call: Call): Promise<Reply> {
    const channel = channelOf(service, call, 'write');
    const { action } = call.query;
    if (action !== undefined) throw unknownAction(action);
    const { account } = call;
    const stored = await createImage(service, { body: await call.json(), account, channel, version: call.version });
    call.log.info({ image: stored.key, owner: stored.value.owner, req_id: call.requestId }, 'image created');
    return imageReply(service, call, stored);
  }

  async function remove(call: Call): Promise<Reply> {
    await deletableImage(service, call);
    const { force_all_channels: forceAllChannels = false } = deleteQuery(call.query);
    await deleteImage(service, {
      ...changeRequest(service, call),
      forceAllChannels,
      deletePlaceholder: (placeholder) => copies.deletePlaceholder(placeholder, call),
    });
    return { status: 204 };
  }

  async function ancestry(call: Call): Promise<Reply> {
    const { stored, relation } = await readableImageAs(service, call);
    assertVersion3(call.version, 'GetImageAncestry');
    const chain = await ancestryOf(service, viewerOf(service, call), stored, relation);
    return { text: renderImageList(await render(service, call, chain, viewOf(service, call))) };
  }

  return [
    listRoute(service),
    { name: 'CreateImage', method: 'POST', path: '/images', auth: 'strict', handler: create },
    { name: 'GetImage', method: 'GET', path: '/images/:uuid', auth: 'passive', handler: getImage },
    { name: 'DeleteImage', method: 'DELETE', path: '/images/:uuid', auth: 'strict', handler: remove },
    { name: 'GetImageAncestry', method: 'GET', path: '/images/:uuid/ancestry', auth: 'passive', handler: ancestry },
  ];
}

const deleteQuery = parameters({ force_all_channels: flag });

/** Actions that need services which are not built in: they are known, and answered by name. */
const NOT_AVAILABLE = ['create-from-vm', 'import-docker-image', 'import-lxd-image'];

function unknownAction(action: unknown): ApiError {
  if (typeof action === 'string' && NOT_AVAILABLE.includes(action)) {
    return new ApiError('NotAvailable', `action "${action}" is not available here`);
  }
  const known = NOT_AVAILABLE.join(', ');
  return invalidParameter('action', `action is ${JSON.stringify(action)}; POST /images takes none, or one of ${known}`);
}
