/** `POST /:account/images/:id?action=…`. */
import { Type } from 'typebox';
import { CLONE_ERRORS } from '../imgapi/sharing.ts';
import { needed } from '../parameters.ts';
import { ExportedImage } from '../schemas/service.ts';
import { type CloudapiOperations, imageParams, imageReplies, PARAMETER_ERRORS, signed, WRITE_ERRORS } from './form.ts';
import { required, text, value } from './parameters.ts';

/** The previous CloudAPI had one route name for all of these. */
const imageAction = {
  ...signed,
  method: 'POST',
  path: '/:account/images/:id',
  route: 'UpdateImage',
  params: imageParams,
} as const;

const fields = Type.Object({
  name: Type.Optional(value('The name.')),
  version: Type.Optional(value('The version.')),
  description: Type.Optional(value('Up to 10 KiB.')),
  homepage: Type.Optional(value('URL.')),
  eula: Type.Optional(value("URL of the user's licence.")),
  acl: Type.Optional(value('All accounts that it is shared with: UUIDs and logins.')),
  shared_with: Type.Optional(value('Another name for `acl`.')),
  tags: Type.Optional(value('All tags, by name.')),
  deprecated_at: Type.Optional(value('The date from which on the image is deprecated; empty: it is not.')),
  replaced_by: Type.Optional(value('UUID of the image to use instead of one that is deprecated; empty: none.')),
  owner: Type.Optional(value('Must be as it is: it cannot be changed.')),
  public: Type.Optional(value('Must be as it is: it cannot be changed.')),
});

const share = Type.Object({
  account: required('account', 'The other account, by login or UUID.', 'the login or UUID of one account'),
});

const destination = Type.Object({
  manta_path: needed(text('A folder, or the first part of the names of the files.'), {
    missing: { message: 'Image destination manta_path is a required argument' },
  }),
});

const shareErrors = [...PARAMETER_ERRORS, 'MissingParameter', 'ValidationFailed', ...WRITE_ERRORS] as const;

export const ACTIONS = {
  UpdateImage: {
    ...imageAction,
    summary: 'Changes fields of an image of the account.',
    description: 'The whole image may be sent back; fields that may not change must then be as they were.',
    action: 'update',
    callers: ['owner', 'operator'],
    query: fields,
    body: { json: fields, optional: true },
    replies: imageReplies,
    errors: [...PARAMETER_ERRORS, 'ValidationFailed', ...WRITE_ERRORS],
  },

  ShareImage: {
    ...imageAction,
    summary: 'Shares an image of the account with another one.',
    description:
      'A login opens the image to the account that has it now, and to nobody who takes it over later. A login that nobody has is accepted and shown, with the same answer.',
    action: 'share',
    callers: ['owner', 'operator'],
    query: share,
    body: { json: share, optional: true },
    replies: imageReplies,
    errors: shareErrors,
  },

  UnshareImage: {
    ...imageAction,
    summary: 'Ends the share of an image; an account that it is shared with ends its own.',
    action: 'unshare',
    callers: ['sharee', 'owner', 'operator'],
    query: share,
    body: { json: share, optional: true },
    replies: [...imageReplies, { status: 204, when: 'a sharee left' }],
    errors: shareErrors,
  },

  AcceptImage: {
    ...imageAction,
    summary: 'Says that the account wants an image that is shared with it.',
    description: 'It is in the lists of the account from then on. To refuse it, the account ends its share.',
    action: 'accept',
    callers: ['sharee'],
    replies: imageReplies,
    errors: [...PARAMETER_ERRORS, ...WRITE_ERRORS, 'ImageNotShared'],
  },

  CloneImage: {
    ...imageAction,
    summary: 'Makes an image that the account owns from one that is shared with it.',
    action: 'clone',
    callers: ['sharee'],
    replies: imageReplies,
    errors: [...PARAMETER_ERRORS, ...WRITE_ERRORS, ...CLONE_ERRORS],
  },

  UndeleteImage: {
    ...imageAction,
    summary: 'Restores a deleted image of the account with its file, its icon and its shares.',
    description: 'An origin that was deleted as well has to be restored before.',
    action: 'undelete',
    callers: ['owner', 'operator'],
    replies: imageReplies,
    errors: [...PARAMETER_ERRORS, ...WRITE_ERRORS, 'ImageNotDeleted', 'OriginDoesNotExist', 'OriginChainTooLong'],
  },

  ExportImage: {
    ...imageAction,
    summary: 'Writes an image of the account into its Manta storage.',
    action: 'export',
    callers: ['owner', 'operator'],
    query: destination,
    body: { json: destination, optional: true },
    replies: [{ status: 200, json: ExportedImage }],
    errors: [
      ...PARAMETER_ERRORS,
      'MissingParameter',
      ...WRITE_ERRORS,
      'StorageUnsupported',
      'StorageIsDown',
      'FileDamaged',
      'NotImplemented',
      'NotMantaPathOwner',
    ],
  },
} as const satisfies CloudapiOperations;
