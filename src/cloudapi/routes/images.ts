/** ListImages, GetImage, DeleteImage, GetImageAncestry, GetImageUsage. */
import type { CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import type { IMAGES } from '#lib/api/cloudapi/images.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { readJsonItems } from '#lib/client/json-items.ts';
import { callOf } from '#lib/client/methods.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { CloudapiError } from '../errors.ts';
import { listReply } from '../list-reply.ts';
import { imageReply } from '../reply.ts';
import type { Cloudapi } from '../service.ts';
import { typeFilter } from '../translate.ts';

const PASSED_FILTERS = ['name', 'os', 'version', 'state', 'public', 'shared', 'offered', 'deprecated'] as const;

export function imageHandlers(cloudapi: Cloudapi): Handlers<typeof IMAGES, Call> {
  const { imgapi } = cloudapi;
  return {
    /** Passes on IMGAPI's list as it arrives, in its order. */
    async ListImages(call, query) {
      return listReply(cloudapi, call, imgapi.scanImages(filterOf(call, query), call.onBehalf));
    },

    async GetImage(call) {
      return imageReply(call, await imgapi.getImage(call.imageId, call.onBehalf));
    },

    async DeleteImage({ imageId, onBehalf }) {
      await imgapi.deleteImage(imageId, onBehalf);
      return { status: 204 };
    },

    /** The image first, then its origins down to the base, as far as the account may see them. */
    async GetImageAncestry(call) {
      const answer = await imgapi.send(callOf('GetImageAncestry', [call.imageId]), call.onBehalf);
      return listReply(cloudapi, call, readJsonItems<Image>(answer));
    },

    async GetImageUsage({ imageId, onBehalf }) {
      return { json: await imgapi.getImageUsage(imageId, onBehalf) };
    },
  };
}

function filterOf({ account, servedVersion }: Call, query: QueryOf<typeof IMAGES.ListImages>): ListImagesFilter {
  const filter: Record<string, string | number | boolean> = {};
  for (const name of PASSED_FILTERS) {
    const value = query[name];
    if (value !== undefined) filter[name] = value;
  }
  const { owner, limit, type } = query;
  if (owner !== undefined) filter['owner'] = owner === 'me' ? account.uuid : owner;
  if (limit !== undefined) filter['limit'] = limit;
  return { ...filter, type: typeOf(type, servedVersion) };
}

/** By default Docker images are left out: their layers would bury the others, and Docker has its own tools. */
function typeOf(type: string | undefined, version: CloudapiVersion): string {
  if (type === undefined) return '!docker';
  const known = typeFilter(type, version);
  if (known === undefined) throw new CloudapiError('InvalidArgument', `image type ${type} is not a valid type`);
  return known;
}
