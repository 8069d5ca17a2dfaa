/** ListImages, GetImage, DeleteImage, GetImageAncestry. */

import type { Image } from '#lib/api/schemas/image.ts';
import type { ListImagesFilter } from '#lib/client/filter.ts';
import { readJsonItems } from '#lib/client/json-items.ts';
import type { Reply } from '../../http-kit/call.ts';
import { invalid } from '../errors.ts';
import { listReply } from '../list-reply.ts';
import { imageReply } from '../reply.ts';
import { type CloudapiRoute, imageId, optionalFlag, optionalText, type Request } from '../request.ts';
import { typeFilter } from '../translate.ts';

export const imageRoutes: readonly CloudapiRoute[] = [
  { name: 'ListImages', method: 'GET', path: '/:account/images', handler: listImages },
  { name: 'GetImage', method: 'GET', path: '/:account/images/:id', handler: getImage },
  { name: 'DeleteImage', method: 'DELETE', path: '/:account/images/:id', handler: deleteImage },
  { name: 'GetImageAncestry', method: 'GET', path: '/:account/images/:id/ancestry', handler: ancestry },
];

/** What IMGAPI takes as a limit. */
const MOST_IMAGES = 1_000_000;
const PASSED_FILTERS = ['name', 'os', 'version', 'state'] as const;

/** IMGAPI's list as it comes, in its order. */
async function listImages(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  return listReply(request, cloudapi.imgapi.scanImages(filterOf(request), onBehalf));
}

function filterOf({ call: { query }, account, version }: Request): ListImagesFilter {
  const filter: Record<string, string | number | boolean> = {};
  for (const name of PASSED_FILTERS) {
    const value = optionalText(query, name);
    if (value !== undefined) filter[name] = value;
  }
  for (const name of ['public', 'shared'] as const) {
    const value = optionalFlag(query, name);
    if (value !== undefined) filter[name] = value;
  }
  const owner = optionalText(query, 'owner');
  if (owner !== undefined) filter['owner'] = owner === 'me' ? account.uuid : owner;
  const limit = limitOf(query);
  if (limit !== undefined) filter['limit'] = limit;
  return { ...filter, type: typeOf(optionalText(query, 'type'), version) };
}

/** Images at the most; 0 is no limit, as IMGAPI has it. @throws 409 InvalidArgument */
function limitOf(query: Request['call']['query']): number | undefined {
  const text = optionalText(query, 'limit');
  if (text === undefined) return undefined;
  const limit = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 0 && limit <= MOST_IMAGES) return limit;
  throw invalid('limit', text, `a whole number from 0 to ${MOST_IMAGES}`);
}

/** Docker has tools of its own: its layers would bury the other images. */
function typeOf(type: string | undefined, version: string): string {
  if (type === undefined) return '!docker';
  const known = typeFilter(type, version);
  if (known === undefined) throw invalid('type', type, 'smartmachine or virtualmachine');
  return known;
}

async function getImage(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  return imageReply(request, await cloudapi.imgapi.getImage(imageId(request), onBehalf));
}

async function deleteImage(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  await cloudapi.imgapi.deleteImage(imageId(request), onBehalf);
  return { status: 204 };
}

/** The image first, then its origins down to the base, as far as the account sees them. */
async function ancestry(request: Request): Promise<Reply> {
  const { cloudapi, onBehalf } = request;
  const path = `/images/${imageId(request)}/ancestry`;
  const answer = await cloudapi.imgapi.send({ method: 'GET', path }, onBehalf);
  return listReply(request, readJsonItems<Image>(answer));
}
