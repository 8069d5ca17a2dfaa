/** The link listener: what linked datacenters ask of each other. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { integer, known } from '../parameters.ts';
import {
  LinkBack,
  LinkEcho,
  LinkImage,
  LinkPieces,
  LinkPing,
  PairingReply,
  PairingRequest,
  PIECES_A_PAGE,
  PullEnded,
  RotateRequest,
} from '../schemas/link.ts';
import { PullUrl } from '../schemas/pull-url.ts';
import { Nothing } from '../schemas/service.ts';
import { downloadHeaders, storedReplies } from './files.ts';
import { type ImgapiOperations, imageParams, STORAGE_ERRORS } from './form.ts';
import { ICON_TYPES } from './icons.ts';
import { LINK_COPIES } from './link-copies.ts';
import { PULL_LINK, pullUrlErrors, pullUrlQuery } from './pulls.ts';

/** Bytes of a signed body, and of what LinkBlob answers. */
export const LINK_BODY_LIMIT = 1024 * 1024;

/** Bytes; the largest message that is valid is below. */
const PAIRING_LIMIT = 128 * 1024;

/** No file has so many pages. */
const LAST_PAGE = 1_000_000_000;

/** Signed with a current key of a linked datacenter. */
const signed = { since: 1, auth: 'strict', callers: ['datacenter'] } as const;
const ERRORS = ['Conflict'] as const;

/** An image of the account that the other datacenter names, in any state. */
const image = { ...signed, params: imageParams } as const;
const accountParameter = known('The account on whose behalf the other datacenter asks; it must own the image.');
const IMAGE_ERRORS = [...ERRORS, 'ResourceNotFound', 'ValidationFailed', 'NotImageOwner', 'Forbidden'] as const;

export const LINKS = {
  LinkPair: {
    summary: 'Pairs two datacenters: both prove that they know the token.',
    method: 'POST',
    path: '/link/pair',
    since: 1,
    auth: 'none',
    callers: ['nobody'],
    body: { json: PairingRequest, check: 'whole', maxBytes: PAIRING_LIMIT },
    replies: [{ status: 200, json: PairingReply }],
    errors: [...BODY_ERRORS, ...ERRORS, 'ValidationFailed', 'Forbidden', 'LinkAlreadyExists', 'NotAvailable'],
  },

  LinkPing: {
    ...signed,
    summary: "Returns this datacenter's name, time, versions and object stores.",
    method: 'GET',
    path: '/link/ping',
    replies: [{ status: 200, json: LinkPing }],
    errors: ERRORS,
  },

  LinkCheck: {
    ...signed,
    summary: 'Calls the caller back at the URL that the link records.',
    method: 'POST',
    path: '/link/check',
    body: { signed: Nothing, optional: true },
    replies: [{ status: 200, json: LinkBack }],
    errors: [...ERRORS, 'ResourceNotFound', 'RequestEntityTooLarge'],
  },

  LinkBlob: {
    ...signed,
    summary: 'Returns random bytes, which nothing on the way can compress.',
    method: 'GET',
    path: '/link/blob',
    query: Type.Object({ bytes: Type.Optional(integer(1, LINK_BODY_LIMIT, 'How many; default the maximum.')) }),
    replies: [
      {
        status: 200,
        bytes: ['application/octet-stream'],
        headers: Type.Object({ 'content-length': Type.Integer(), 'x-sha256': Type.String({ description: 'Hex.' }) }),
      },
    ],
    errors: ERRORS,
  },

  LinkEcho: {
    ...signed,
    summary: 'Returns how many bytes arrived, and their hash.',
    method: 'POST',
    path: '/link/echo',
    body: { signed: Type.Unknown(), optional: true },
    replies: [{ status: 200, json: LinkEcho }],
    errors: [...ERRORS, 'RequestEntityTooLarge'],
  },

  LinkRotate: {
    ...signed,
    summary: 'Adds a new key of the other datacenter, or drops keys that it no longer uses.',
    method: 'POST',
    path: '/link/rotate',
    body: { signed: RotateRequest, check: 'whole' },
    replies: [{ status: 200, json: Nothing }],
    errors: [...ERRORS, 'InvalidContent', 'RequestEntityTooLarge', 'ResourceNotFound', 'ValidationFailed'],
  },

  LinkUnlink: {
    ...signed,
    summary: 'Ends the link from the other side.',
    method: 'POST',
    path: '/link/unlink',
    body: { signed: Nothing, optional: true },
    replies: [{ status: 200, json: Nothing }],
    errors: [...ERRORS, 'RequestEntityTooLarge'],
  },

  LinkGetImage: {
    ...image,
    summary: 'Returns the manifest of an image, and which accounts its shares opened it to.',
    method: 'GET',
    path: '/link/images/:uuid',
    query: Type.Object({ account: accountParameter }),
    replies: [{ status: 200, json: LinkImage }],
    errors: IMAGE_ERRORS,
  },

  LinkGetImageIcon: {
    ...image,
    summary: 'Returns the icon of an image.',
    method: 'GET',
    path: '/link/images/:uuid/icon',
    query: Type.Object({ account: accountParameter }),
    headers: downloadHeaders,
    replies: storedReplies(ICON_TYPES),
    errors: [...IMAGE_ERRORS, ...STORAGE_ERRORS, 'ImageFileBusy'],
  },

  LinkGetImageFile: {
    ...image,
    summary: "Returns the bytes of an image's file.",
    method: 'GET',
    path: '/link/images/:uuid/file',
    query: Type.Object({
      index: Type.Optional(integer(0, 1, 'Which file, for an image that has two.')),
      account: accountParameter,
    }),
    headers: downloadHeaders,
    replies: storedReplies(['application/octet-stream']),
    errors: [...IMAGE_ERRORS, ...STORAGE_ERRORS],
  },

  LinkGetImageFilePieces: {
    ...image,
    summary:
      "Returns the hashes of the pieces of an image's file, a page at a time; each piece is a range of its bytes.",
    method: 'GET',
    path: '/link/images/:uuid/file/pieces',
    query: Type.Object({
      index: Type.Optional(integer(0, 1, 'Which file, for an image that has two.')),
      account: accountParameter,
      page: Type.Optional(integer(0, LAST_PAGE, `Which page of ${PIECES_A_PAGE} pieces; the first is 0.`)),
    }),
    replies: [{ status: 200, json: LinkPieces }],
    errors: [...IMAGE_ERRORS, ...STORAGE_ERRORS],
  },

  LinkCreatePullUrl: {
    ...image,
    summary: 'Creates a URL that reads the file of an image; renewing one works even after the image was deleted.',
    method: 'POST',
    path: '/link/images/:uuid/file/pull-url',
    query: pullUrlQuery,
    replies: [{ status: 200, json: PullUrl }],
    errors: [...IMAGE_ERRORS, ...pullUrlErrors],
  },

  LinkEndPull: {
    ...signed,
    summary: 'Removes a pull link whose transfer has ended; it is no error if the link is already gone.',
    method: 'POST',
    path: '/link/pulls/:reqid/end',
    params: Type.Object({ reqid: Type.String({ description: 'As LinkCreatePullUrl answered it.' }) }),
    body: { signed: Nothing, optional: true },
    replies: [{ status: 200, json: PullEnded }],
    errors: [...ERRORS, 'RequestEntityTooLarge', 'StorageIsDown'],
  },

  ...LINK_COPIES,

  ...PULL_LINK,
} as const satisfies ImgapiOperations;
