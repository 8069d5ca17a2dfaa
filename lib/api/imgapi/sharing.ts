/** Sharing an image with accounts, and cloning an image that is shared. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { needed, uuid } from '../parameters.ts';
import { AclEntries } from '../schemas/acl.ts';
import { ShareSettings, ShareSettingsChange } from '../schemas/share-settings.ts';
import {
  accountQuery,
  conditionHeaders,
  type ImgapiOperations,
  imageParams,
  imageQuery,
  imageReplies,
  WRITE_ERRORS,
} from './form.ts';

/** An older server had one name for both. */
const acl = {
  method: 'POST',
  path: '/images/:uuid/acl',
  route: 'ImageAcl',
  since: 1,
  auth: 'strict',
  params: imageParams,
  query: Type.Object(imageQuery),
  headers: conditionHeaders,
  body: { json: AclEntries },
  errors: [...BODY_ERRORS, ...WRITE_ERRORS],
} as const;

const settings = {
  path: '/share-settings/:uuid',
  since: 3,
  where: 'accounts',
  auth: 'strict',
  callers: ['owner', 'operator'],
  params: Type.Object({ uuid: uuid('The account.') }),
  query: accountQuery,
  replies: [{ status: 200, json: ShareSettings }],
} as const;

/** Of what makes a clone, on top of those of any write. */
/** What an account does with an image that is shared with it. */
const bySharee = {
  where: 'accounts',
  auth: 'strict',
  callers: ['sharee'],
  params: imageParams,
  headers: conditionHeaders,
  replies: imageReplies,
} as const;

function shareeQuery(description: string, missing: string) {
  return Type.Object({
    ...imageQuery,
    account: needed(uuid(description), { missing: { kind: 'Invalid', message: missing } }),
  });
}

export const CLONE_ERRORS = [
  'QuotaExceeded',
  'ImageNotShared',
  'NotImplemented',
  'OriginDoesNotExist',
  'OriginChainTooLong',
  'StorageIsDown',
  'FileDamaged',
] as const;

export const SHARING = {
  AddImageAcl: {
    ...acl,
    summary: 'Shares an image with more accounts.',
    description:
      'Entries that are already there keep their place. A login opens the image to the account that holds it now, and to nobody who takes the login later. A login that nobody holds is accepted and shown all the same, so the answer does not tell which logins exist.',
    action: 'add',
    isDefaultAction: true,
    callers: ['owner', 'operator'],
    replies: imageReplies,
  },

  RemoveImageAcl: {
    ...acl,
    summary: 'Ends shares of an image; an account that it is shared with can end its own.',
    action: 'remove',
    callers: ['sharee', 'owner', 'operator'],
    replies: [...imageReplies, { status: 204, when: 'a sharee left' }],
  },

  AcceptImage: {
    summary: 'Says that an account wants an image that is shared with it.',
    description:
      'It is in the lists of the account from then on, until the share ends; its owner sees that it was accepted. To accept it again is no error. To refuse it, the account ends its share (RemoveImageAcl).',
    method: 'POST',
    path: '/images/:uuid/accept',
    since: 3,
    ...bySharee,
    query: shareeQuery('The account that it is shared with.', 'name the account that accepts the image'),
    errors: [...WRITE_ERRORS, 'ImageNotShared'],
  },

  GetShareSettings: {
    ...settings,
    summary: 'Returns what an account wants to be shown of what others share with it.',
    description: 'An account gets its own.',
    method: 'GET',
    errors: ['ResourceNotFound'],
  },

  ChangeShareSettings: {
    ...settings,
    summary: 'Changes them.',
    description:
      'With `offers`, whatever is shared with the account by others than those that it trusts is in none of its lists until it is accepted, that of before included. By UUID it can be used all the same. A login means the account that has it now; one that nobody has is accepted and shown all the same.',
    method: 'PUT',
    body: { json: ShareSettingsChange },
    errors: [...BODY_ERRORS, 'ResourceNotFound', 'InvalidParameter', 'ValidationFailed', 'Conflict'],
  },

  CloneImage: {
    summary: "Creates an image of the account's own from one that is shared with it.",
    description:
      "The clone stays when the other image goes. Its origins are cloned too, as `disabled` images, down to the first that the account can build on as it is: an operators' image that it sees, an image of its own, or a clone of that origin that it already has.",
    method: 'POST',
    path: '/images/:uuid/clone',
    since: 1,
    ...bySharee,
    query: shareeQuery('The account that the clone is for.', 'name the account that the clone is for'),
    errors: [...WRITE_ERRORS, ...CLONE_ERRORS],
  },
} as const satisfies ImgapiOperations;
