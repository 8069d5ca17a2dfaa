/** Images as a whole. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { flag, integer, known, list, oneOf, text, uuid } from '../parameters.ts';
import { Ancestry, IMAGE_STATES, ImageV1, ImageV2, ImageV3, Manifest } from '../schemas/image.ts';
import {
  conditionHeaders,
  etagHeader,
  type ImgapiOperations,
  imageParams,
  imagePlace,
  imageQuery,
  imageReplies,
  READ_ERRORS,
  READERS,
  WRITE_ERRORS,
} from './form.ts';

/** States to ask a list for; those of placeholders come with them. */
export const LIST_STATES = [...IMAGE_STATES, 'all'] as const;
export type ListState = (typeof LIST_STATES)[number];

const MOST_IMAGES = 1_000_000;

const nextPage = Type.Object({
  link: Type.Optional(Type.String({ description: 'Version 3: `<…>; rel="next"`, unless this is the last page.' })),
});

export const IMAGES = {
  ListImages: {
    summary: 'Lists the images that the caller may see and that match all filters.',
    description:
      'At most 20 filters at once. In version 3 a page that is not the last carries a `Link` to the next: follow it, and every image comes exactly once, whatever the dates.',
    method: 'GET',
    path: '/images',
    since: 1,
    auth: 'passive',
    callers: READERS,
    query: Type.Object(
      {
        ...imageQuery,
        limit: Type.Optional(integer(0, MOST_IMAGES, 'At most so many; 0 is no limit.')),
        state: Type.Optional(
          oneOf([...LIST_STATES, 'copying'], 'Images in this state; default `active`. Version 3 has `copying`.'),
        ),
        public: Type.Optional(flag('Public images, or those that are not.')),
        sort: Type.Optional(text('`published_at` or `published_at.desc`.')),
        marker: Type.Optional(text('UUID of an image, or a date: from there on, itself included.')),
        owner: Type.Optional(uuid('Images of this account.')),
        name: Type.Optional(text('The name; with `~` in front, a part of it.')),
        version: Type.Optional(text('The version; with `~` in front, a part of it.')),
        os: Type.Optional(text('The operating system.')),
        type: Type.Optional(text('The type; with `!` in front, all others.')),
        shared: Type.Optional(flag('Version 3: only what others shared with `account`, or none of it.')),
        after: Type.Optional(text('Version 3: part of the link to the next page.')),
        billing_tag: Type.Optional(list('Images that have all of these.')),
      },
      {
        patternProperties: {
          '^tag\\..': list('`tag.KEY`: images whose tag has this value; an empty value: that have the tag.'),
        },
      },
    ),
    replies: [
      { status: 200, versions: [1], json: Type.Array(ImageV1) },
      { status: 200, versions: [2], json: Type.Array(ImageV2) },
      { status: 200, versions: [3], json: Type.Array(ImageV3), headers: nextPage },
    ],
    errors: READ_ERRORS,
  },

  GetImage: {
    summary: 'Answers the manifest of an image.',
    description: '`If-None-Match` answers 304; on writes `If-Match` guards against overwriting a change (412).',
    method: 'GET',
    path: '/images/:uuid',
    since: 1,
    auth: 'passive',
    callers: READERS,
    params: imageParams,
    query: Type.Object(imageQuery),
    headers: conditionHeaders,
    replies: [...imageReplies, { status: 304, when: 'If-None-Match names its tag', headers: etagHeader }],
    errors: [...READ_ERRORS, 'PreconditionFailed'],
  },

  CreateImage: {
    summary: 'Makes an image from a manifest, which waits for its file and its activation.',
    description:
      "The manifest is without `uuid`, `state`, `files`. With `account`, the image is that account's. Then come AddImageFile and ActivateImage.",
    method: 'POST',
    path: '/images',
    since: 1,
    auth: 'strict',
    callers: ['stranger', 'operator'],
    query: Type.Object({
      ...imageQuery,
      action: Type.Optional(
        known('None: the actions that IMGAPI has here need services which are not built in (501).'),
      ),
    }),
    body: { json: Manifest },
    replies: imageReplies,
    errors: [
      ...BODY_ERRORS,
      'ValidationFailed',
      'OwnerDoesNotExist',
      'OriginDoesNotExist',
      'OriginIsNotActive',
      'OriginChainTooLong',
      'NotAvailable',
      'Conflict',
      'InsufficientStorage',
    ],
  },

  DeleteImage: {
    summary: 'Deletes an image with its file and icon; of a placeholder, cancels the copy.',
    description:
      'Refused while images here build on it. To an account these are its own, which the error names, and those of accounts that may use the image; operators are told of all. With channels, only the membership goes while there is another, unless `force_all_channels=true`. Operators can also delete a record that is no valid image, which every other operation answers with 404.',
    method: 'DELETE',
    path: '/images/:uuid',
    since: 1,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      ...imagePlace,
      force_all_channels: Type.Optional(flag('Delete it from all channels.')),
    }),
    replies: [{ status: 204 }],
    errors: [...WRITE_ERRORS, 'ImageHasDependentImages', 'CopyAlreadyFinished', 'StorageIsDown'],
  },

  GetImageAncestry: {
    summary: 'Answers an image and its origins down to the base, as far as they are here and the caller sees them.',
    method: 'GET',
    path: '/images/:uuid/ancestry',
    since: 3,
    refusal: { after: 'visibility' },
    auth: 'passive',
    callers: READERS,
    params: imageParams,
    query: Type.Object(imageQuery),
    replies: [{ status: 200, json: Ancestry }],
    errors: READ_ERRORS,
  },
} as const satisfies ImgapiOperations;
