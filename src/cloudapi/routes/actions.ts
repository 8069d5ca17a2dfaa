/** `POST /:account/images/:id?action=…`: UpdateImage, ShareImage, UnshareImage, AcceptImage, CloneImage, UndeleteImage, ExportImage. */
import { isDeepStrictEqual } from 'node:util';
import type { ACTIONS } from '#lib/api/cloudapi/actions.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import { auditShare } from '../audit.ts';
import type { Call } from '../call.ts';
import { invalid, invalidAction, missing } from '../errors.ts';
import { readParameters } from '../parameters.ts';
import { imageReply } from '../reply.ts';
import { taggerOf } from '../role-tags.ts';
import type { Cloudapi } from '../service.ts';

export const actionDispatch: Dispatch<Call> = {
  async before(call) {
    // Throws if it is not a UUID.
    void call.imageId;
    await readParameters(call);
  },
  async otherwise({ parameters: { action } }) {
    throw action === undefined ? missing('action') : invalidAction(action);
  },
};

type Fields = QueryOf<typeof ACTIONS.UpdateImage>;

const UPDATABLE = [
  'name',
  'version',
  'description',
  'homepage',
  'eula',
  'tags',
  'deprecated_at',
  'replaced_by',
] as const;

/** A client may send back a whole image that it has read; fields that it may not change must then be as they were. */
const FIXED = ['owner', 'public'] as const;

export function actionHandlers(cloudapi: Cloudapi): Handlers<typeof ACTIONS, Call> {
  const { imgapi } = cloudapi;

  async function assertUnchanged({ imageId, onBehalf }: Call, query: Fields): Promise<void> {
    if (FIXED.every((field) => query[field] === undefined)) return;
    const image = await imgapi.getImage(imageId, onBehalf);
    for (const field of FIXED) {
      const value = query[field];
      // A query has text where JSON has true.
      if (value === undefined || value === image[field] || value === String(image[field])) continue;
      throw invalid(field, value, `${image[field]}: it cannot be changed`);
    }
  }

  return {
    async UpdateImage(call, query) {
      const acl = aclOf(query);
      const given = UPDATABLE.flatMap((field) => (query[field] === undefined ? [] : [[field, query[field]]]));
      const fields = { ...Object.fromEntries(given), ...(acl !== undefined && { acl }) };
      await assertUnchanged(call, query);
      const image = await imgapi.updateImage(call.imageId, fields, call.onBehalf);
      if (acl !== undefined) auditShare(cloudapi, call, 'acl', acl);
      return imageReply(call, image);
    },

    async ShareImage(call, query) {
      const { account: entry } = query;
      const image = await imgapi.addImageAcl(call.imageId, [entry], call.onBehalf);
      auditShare(cloudapi, call, 'share', [entry]);
      return imageReply(call, image);
    },

    /** For the owner; an account that the image is shared with ends its own access. */
    async UnshareImage(call, query) {
      const { imageId: id, onBehalf, account } = call;
      const { account: entry } = query;
      const { owner } = await imgapi.getImage(id, onBehalf);
      const isLeaving = owner !== account.uuid && (entry === account.login || entry === account.uuid);
      const image = await imgapi.removeImageAcl(id, [isLeaving ? account.uuid : entry], onBehalf);
      auditShare(cloudapi, call, isLeaving ? 'leave' : 'unshare', [entry]);
      return image ? imageReply(call, image) : { status: 204 };
    },

    async AcceptImage(call) {
      const image = await imgapi.acceptImage(call.imageId, call.onBehalf);
      auditShare(cloudapi, call, 'accept', [call.account.login]);
      return imageReply(call, image);
    },

    async CloneImage(call) {
      const tagNew = await taggerOf(cloudapi, call);
      const clone = await imgapi.cloneImage(call.imageId, call.onBehalf);
      await tagNew(clone.uuid);
      return imageReply(call, clone);
    },

    async UndeleteImage(call) {
      return imageReply(call, await imgapi.undeleteImage(call.imageId, call.onBehalf));
    },

    async ExportImage({ imageId, onBehalf }, { manta_path: path }) {
      return { json: await imgapi.exportImage(imageId, { ...onBehalf, manta_path: path }) };
    },
  };
}

/** `shared_with` is another name for the same list. */
function aclOf({ acl, shared_with: sharedWith }: Fields): unknown {
  if (acl !== undefined && sharedWith !== undefined && !isDeepStrictEqual(acl, sharedWith)) {
    throw invalid('shared_with', sharedWith, 'the same as acl, which is another name for it; send only one of them');
  }
  return acl === undefined ? sharedWith : acl;
}
