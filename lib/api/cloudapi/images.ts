/** Images as a whole. */
import { Type } from 'typebox';
import { MOST_IMAGES } from '../imgapi/images.ts';
import { integer } from '../parameters.ts';
import { ImageUsage } from '../schemas/usage.ts';
import {
  ACCOUNTS,
  accountParams,
  type CloudapiOperations,
  imageListReplies,
  imageParams,
  imageReplies,
  signed,
  WRITE_ERRORS,
} from './form.ts';
import { flag, text } from './parameters.ts';

const image = { ...signed, path: '/:account/images/:id', params: imageParams } as const;

export const IMAGES = {
  ListImages: {
    ...signed,
    summary: 'Lists the images that the account can use and that match all filters.',
    description: 'Without `type`, Docker images are left out.',
    method: 'GET',
    path: '/:account/images',
    callers: ACCOUNTS,
    params: accountParams,
    query: Type.Object({
      name: Type.Optional(text('The name; with `~` in front, a part of it.')),
      os: Type.Optional(text('The operating system.')),
      version: Type.Optional(text('The version; with `~` in front, a part of it.')),
      state: Type.Optional(text('Images in this state, or `all`; default `active`.')),
      public: Type.Optional(flag('Only public images, or only the others.')),
      shared: Type.Optional(flag('Only images that others share with the account, or only the others.')),
      offered: Type.Optional(
        flag(
          'Only images that others share with the account and that it has not accepted, though it wants to be asked.',
        ),
      ),
      deprecated: Type.Optional(flag('Only images that are deprecated by now, or only the others.')),
      owner: Type.Optional(text('Images of this account: its UUID, or `me`.')),
      limit: Type.Optional(integer(0, MOST_IMAGES, 'At most this many; 0 for no limit.')),
      type: Type.Optional(
        text('The type; with `!` in front, all others. Before version 8 `smartmachine` or `virtualmachine`.'),
      ),
    }),
    replies: imageListReplies,
    errors: ['InvalidArgument'],
  },

  GetImage: {
    ...image,
    summary: 'Returns an image.',
    method: 'GET',
    callers: ACCOUNTS,
    replies: imageReplies,
    errors: ['ResourceNotFound'],
  },

  DeleteImage: {
    ...image,
    summary: 'Deletes an image of the account; of one that is on its way here, cancels the copy.',
    method: 'DELETE',
    callers: ['owner', 'operator'],
    replies: [{ status: 204 }],
    errors: [...WRITE_ERRORS, 'ImageHasDependentImages', 'CopyAlreadyFinished', 'StorageIsDown'],
  },

  GetImageAncestry: {
    ...image,
    summary: 'Returns an image and its origins down to the base, as far as the account may see them.',
    method: 'GET',
    path: '/:account/images/:id/ancestry',
    callers: ACCOUNTS,
    replies: imageListReplies,
    errors: ['ResourceNotFound'],
  },

  GetImageUsage: {
    ...image,
    summary: 'Returns who uses an image: images that build on it, datacenters that have it, machines made of it.',
    description:
      'Only what the account itself may see is listed and counted: images that are its own, shared with it or public, and its own machines. Its owner is told which datacenters have it.',
    method: 'GET',
    path: '/:account/images/:id/usage',
    callers: ACCOUNTS,
    replies: [{ status: 200, json: ImageUsage }],
    errors: ['ResourceNotFound'],
  },
} as const satisfies CloudapiOperations;
