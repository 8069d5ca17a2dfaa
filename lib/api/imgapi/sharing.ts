/** Sharing an image with accounts, and cloning an image that is shared. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { needed, uuid } from '../parameters.ts';
import { AclEntries } from '../schemas/acl.ts';
import {
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

/** Of what makes a clone, on top of those of any write. */
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

  CloneImage: {
    summary: "Creates an image of the account's own from one that is shared with it.",
    description:
      "The clone stays when the other image goes. Its origins are cloned too, as `disabled` images, down to the first that the account can build on as it is: an operators' image that it sees, an image of its own, or a clone of that origin that it already has.",
    method: 'POST',
    path: '/images/:uuid/clone',
    since: 1,
    where: 'accounts',
    auth: 'strict',
    callers: ['sharee'],
    params: imageParams,
    query: Type.Object({
      ...imageQuery,
      account: needed(uuid('The account that the clone is for.'), {
        missing: { kind: 'Invalid', message: 'name the account that the clone is for' },
      }),
    }),
    headers: conditionHeaders,
    replies: imageReplies,
    errors: [...WRITE_ERRORS, ...CLONE_ERRORS],
  },
} as const satisfies ImgapiOperations;
