/** Deleted images that can still be restored, and images that are protected from deletion. */
import { Type } from 'typebox';
import { integer, uuid } from '../parameters.ts';
import { DeletedImage } from '../schemas/deleted-image.ts';
import { imageAction } from './actions.ts';
import {
  accountQuery,
  conditionHeaders,
  type ImgapiOperations,
  imageQuery,
  imageReplies,
  READ_ERRORS,
  WRITE_ERRORS,
} from './form.ts';

/** How many deleted images one answer has, at most. */
const MOST_DELETED = 10_000;

const action = {
  ...imageAction,
  since: 3,
  callers: ['owner', 'operator'],
  query: Type.Object(imageQuery),
  headers: conditionHeaders,
  replies: imageReplies,
} as const;

export const DELETED = {
  ListDeletedImages: {
    summary: 'Lists the deleted images that can still be restored, those that go first at the beginning.',
    description:
      'An account gets its own. A page that is as long as `limit` may not be the last one: ask again with the last UUID as `marker`.',
    method: 'GET',
    path: '/deleted-images',
    since: 3,
    auth: 'strict',
    callers: ['stranger', 'operator'],
    query: Type.Object({
      ...accountQuery.properties,
      limit: Type.Optional(integer(1, MOST_DELETED, 'At most this many; default 1000.')),
      marker: Type.Optional(uuid('Only what comes after this deleted image.')),
    }),
    replies: [{ status: 200, json: Type.Array(DeletedImage) }],
    errors: READ_ERRORS,
  },

  UndeleteImage: {
    ...action,
    summary: 'Restores a deleted image with its files, its icon and its shares.',
    description:
      'It is what it was when it was deleted. An origin that was deleted as well has to be restored before. `If-Match` takes the tag that the image had.',
    action: 'undelete',
    errors: [...WRITE_ERRORS, 'ImageNotDeleted', 'OriginDoesNotExist', 'OriginChainTooLong'],
  },

  PurgeImage: {
    ...action,
    summary: 'Removes a deleted image for good, before its time.',
    description: 'Its UUID is free again then. Of an image that is not deleted, it is refused.',
    action: 'purge',
    replies: [{ status: 204 }],
    errors: [...WRITE_ERRORS, 'ImageNotDeleted', 'StorageIsDown'],
  },

  ProtectImage: {
    ...action,
    summary: 'Protects an image from deletion, until that is lifted.',
    action: 'protect',
    errors: WRITE_ERRORS,
  },

  UnprotectImage: {
    ...action,
    summary: 'Lets a protected image be deleted again.',
    action: 'unprotect',
    errors: WRITE_ERRORS,
  },
} as const satisfies ImgapiOperations;
