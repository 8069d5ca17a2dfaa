/**
 * AdminGetImage and AdminGetImageFile, for the admin's keys alone: the whole manifest of an active image that the
 * account of the path owns, and its file. Where that account is the admin itself, any image.
 */
import type { Image } from '#lib/api/schemas/image.ts';
import type { Reply } from '../../http-kit/call.ts';
import { CloudapiError, imageNotFound, notAuthorized } from '../errors.ts';
import { passedOn } from '../reply.ts';
import { asOperator, type CloudapiRoute, imageId, optionalFlag, optionalText, type Request } from '../request.ts';
import { isAdmin } from '../service.ts';

export const adminRoutes: readonly CloudapiRoute[] = [
  { name: 'AdminGetImage', method: 'GET', path: '/:account/images/:id/manifest', handler: getManifest },
  { name: 'AdminGetImageFile', method: 'GET', path: '/:account/images/:id/file', handler: getFile },
];

async function getManifest(request: Request): Promise<Reply> {
  return { json: await ownedImage(request) };
}

const REQUEST_HEADERS = ['range', 'if-range', 'if-match'] as const;
const ANSWER_HEADERS = [
  'content-type',
  'content-length',
  'content-range',
  'content-md5',
  'accept-ranges',
  'etag',
  'last-modified',
];

/** A redirect to a URL that reads the file for less than a day; the file itself with `redirect=false`. */
async function getFile(request: Request): Promise<Reply> {
  const { call, cloudapi } = request;
  const index = optionalText(call.query, 'index');
  const wantsRedirect = optionalFlag(call.query, 'redirect') ?? true;
  const { uuid } = await ownedImage(request);
  if (wantsRedirect && cloudapi.config.pulls.redirect) {
    const pull = await cloudapi.imgapi.createPullUrl(
      uuid,
      index === undefined ? {} : { index: Number(index) },
      asOperator(request),
    );
    return { status: 307, headers: { Location: pull.url }, json: pull };
  }
  const headers = Object.fromEntries(
    REQUEST_HEADERS.flatMap((name) => (call.headers[name] === undefined ? [] : [[name, String(call.headers[name])]])),
  );
  const method = call.method === 'HEAD' ? 'HEAD' : 'GET';
  const answer = await cloudapi.imgapi.send(
    { method, path: `/images/${uuid}/file`, query: { index }, headers },
    asOperator(request),
  );
  return passedOn(answer, ANSWER_HEADERS);
}

async function ownedImage(request: Request): Promise<Image> {
  const { cloudapi, account } = request;
  if (!request.isAdmin) throw notAuthorized(`${account.login}/images/${request.call.params['id']}`);
  const image = await cloudapi.imgapi.getImage(imageId(request), { ...asOperator(request), inclAdminFields: true });
  if (isAdmin(cloudapi, account)) return image;
  if (image.owner !== account.uuid) throw imageNotFound(image.uuid);
  if (image.state !== 'active') {
    throw new CloudapiError(
      'ImageIsNotActive',
      `image "${image.uuid}" is ${image.state}; only active images are copied`,
    );
  }
  return image;
}
