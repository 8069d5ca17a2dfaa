/**
 * AdminGetImage and AdminGetImageFile, for the admin's keys only: the whole manifest of an active image that the account
 * in the path owns, and its file. If that account is the admin itself: of any image.
 */
import type { ADMIN } from '#lib/api/cloudapi/admin.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import { callOf } from '#lib/client/methods.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { CloudapiError, imageNotFound, notAuthorized } from '../errors.ts';
import { passedOn } from '../reply.ts';
import { type Cloudapi, isAdmin } from '../service.ts';

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

export function adminHandlers(cloudapi: Cloudapi): Handlers<typeof ADMIN, Call> {
  const { imgapi, config } = cloudapi;

  async function ownedImage(call: Call): Promise<Image> {
    const { account, isAdmin: isAllowed } = call.principal;
    if (!isAllowed) throw notAuthorized(`${account.login}/images/${call.params['id']}`);
    const image = await imgapi.getImage(call.imageId, { ...call.asOperator, inclAdminFields: true });
    if (isAdmin(cloudapi, account)) return image;
    if (image.owner !== account.uuid) throw imageNotFound();
    if (image.state !== 'active') {
      throw new CloudapiError(
        'ImageIsNotActive',
        `image "${image.uuid}" is ${image.state}; only active images are copied`,
      );
    }
    return image;
  }

  return {
    async AdminGetImage(call) {
      return { json: await ownedImage(call) };
    },

    /** Redirects to a URL that works for less than a day; with `redirect=false`, sends the file itself. */
    async AdminGetImageFile(call, { index, redirect: wantsRedirect = true }) {
      const { uuid } = await ownedImage(call);
      if (wantsRedirect && config.pulls.redirect) {
        const options = { ...call.asOperator, ...(index !== undefined && { index: Number(index) }) };
        const pull = await imgapi.createImageFilePullUrl(uuid, options);
        return { status: 307, headers: { Location: pull.url }, json: pull };
      }
      const headers = Object.fromEntries(
        REQUEST_HEADERS.flatMap((name) =>
          call.headers[name] === undefined ? [] : [[name, String(call.headers[name])]],
        ),
      );
      const method = call.method === 'HEAD' ? 'HEAD' : 'GET';
      const file = { ...callOf('GetImageFile', [uuid], { index }), method, headers } as const;
      return passedOn(await imgapi.send(file, call.asOperator), ANSWER_HEADERS);
    },
  };
}
