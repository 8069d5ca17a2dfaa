/** Images as a whole. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { flag, list, number, oneOf, text, verbatim } from '../parameters.ts';
import { Ancestry, IMAGE_STATES, ImageV1, ImageV2, ImageV3, Manifest } from '../schemas/image.ts';
import { ImageUsage } from '../schemas/usage.ts';
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

/** The states that a list can be asked for. Placeholders are listed by their states too. */
export const LIST_STATES = [...IMAGE_STATES, 'all'] as const;
export type ListState = (typeof LIST_STATES)[number];

/** The largest limit of a list; a larger one counts as this. */
export const MOST_IMAGES = 1_000_000;

const nextPage = Type.Object({
  link: Type.Optional(Type.String({ description: 'Version 3: `<…>; rel="next"`, unless this is the last page.' })),
});

export const IMAGES = {
  ListImages: {
    summary: 'Lists the images that the caller may see and that match all filters.',
    description:
      'Takes at most 20 filters. In version 3, every page but the last has a `Link` header to the next one; following them lists each image exactly once, whatever the dates.',
    method: 'GET',
    path: '/images',
    since: 1,
    auth: 'passive',
    callers: READERS,
    query: Type.Object(
      {
        ...imageQuery,
        limit: Type.Optional(number('At most this many; 0 means no limit, and a negative one no images.')),
        state: Type.Optional(
          oneOf(
            [...LIST_STATES, 'copying'],
            'Images in this state; default `active`, and outside `dc` mode no others without a signature. Only version 3 has `copying`.',
          ),
        ),
        public: Type.Optional(flag('`true`: only public images; `false`: only private ones.')),
        sort: Type.Optional(text('`published_at` or `published_at.desc`.')),
        marker: Type.Optional(text('UUID of an image, or a date: the list begins there, inclusive.')),
        owner: Type.Optional(verbatim('Images of this account.')),
        name: Type.Optional(verbatim('The name, or with `~` in front a part of it.')),
        version: Type.Optional(verbatim('The version, or with `~` in front a part of it.')),
        os: Type.Optional(verbatim('The operating system.')),
        type: Type.Optional(verbatim('The type, or with `!` in front any other type.')),
        shared: Type.Optional(
          flag('Version 3. `true`: only images that others share with `account`; `false`: none of those.'),
        ),
        offered: Type.Optional(
          flag(
            'Version 3. `true`: only images that others share with `account` and that it has not accepted, though it wants to be asked; they are in no other list.',
          ),
        ),
        deprecated: Type.Optional(
          flag('Version 3. `true`: only images that are deprecated by now; `false`: none of those.'),
        ),
        after: Type.Optional(verbatim('Version 3: part of the link to the next page.')),
        billing_tag: Type.Optional(list('Images that have all of these billing tags.')),
      },
      {
        patternProperties: {
          '^tag\\.': list('`tag.KEY`: Images whose tag KEY has this value; an empty value matches any.'),
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
    summary: 'Returns the manifest of an image.',
    description:
      'With `If-None-Match`, an image that has not changed is answered with 304. On writes, `If-Match` guards against overwriting a change (412).',
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
    summary: 'Creates an image from a manifest; the image then waits for its file and its activation.',
    description:
      'The manifest has no `uuid`, `state` or `files`. With `account`, the image belongs to that account. AddImageFile and ActivateImage come next. Whoever asks again with the same `Idempotency-Key`, since the answer was lost, gets the image that was created before.',
    method: 'POST',
    path: '/images',
    route: 'CreateImage',
    isDefaultAction: true,
    since: 1,
    auth: 'strict',
    callers: ['stranger', 'operator'],
    query: Type.Object(imageQuery),
    headers: Type.Object({
      'idempotency-key': Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description:
            'Of one image of one owner, such as a random UUID: with the same one no second image is created.',
        }),
      ),
    }),
    body: { json: Manifest },
    replies: imageReplies,
    errors: [
      ...BODY_ERRORS,
      'ValidationFailed',
      'ImageUuidAlreadyExists',
      'OwnerDoesNotExist',
      'OriginDoesNotExist',
      'OriginIsNotActive',
      'OriginChainTooLong',
      'QuotaExceeded',
      'Conflict',
    ],
  },

  DeleteImage: {
    summary: 'Deletes an image with its file and icon; for a placeholder, cancels the copy.',
    description:
      'Refused while other images here build on it. For an account, these are its own, which the error names, and those of accounts that may use the image; operators are told of all of them. On a server with channels, an image that is in several only leaves the channel, unless `force_all_channels=true`. Operators can also delete a record that is not a valid image, which every other operation answers with 404. An activated image can be restored for as long as the server is configured to keep it; its UUID is taken until then.',
    method: 'DELETE',
    path: '/images/:uuid',
    since: 1,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      ...imagePlace,
      force_all_channels: Type.Optional(flag('Delete it from all channels.')),
      purge: Type.Optional(
        flag('Delete it for good. An image that is deleted already can be restored no longer then.'),
      ),
    }),
    headers: conditionHeaders,
    replies: [{ status: 204 }],
    errors: [...WRITE_ERRORS, 'ImageHasDependentImages', 'ImageProtected', 'CopyAlreadyFinished', 'StorageIsDown'],
  },

  GetImageAncestry: {
    summary: 'Returns an image and its origins down to the base, as far as they are here and the caller may see them.',
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

  GetImageUsage: {
    summary: 'Returns who uses an image: images that build on it, datacenters that have it, machines made of it.',
    description:
      'What the caller may not see is neither listed nor counted. Owner and operators are told which linked datacenters have it; all are asked for five seconds at most. An account is told of its own machines.',
    method: 'GET',
    path: '/images/:uuid/usage',
    since: 3,
    refusal: { after: 'visibility' },
    auth: 'strict',
    callers: ['stranger', 'sharee', 'owner', 'operator'],
    params: imageParams,
    query: Type.Object(imagePlace),
    replies: [{ status: 200, json: ImageUsage }],
    errors: READ_ERRORS,
  },
} as const satisfies ImgapiOperations;
