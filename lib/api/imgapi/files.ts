/** The files of images. */
import { Type } from 'typebox';
import { COMPRESSIONS } from '../../manifest/record.ts';
import { BODY_ERRORS } from '../errors/common.ts';
import type { Reply } from '../operation.ts';
import { datasetGuid, known, needed, oneOf, sha1 } from '../parameters.ts';
import {
  conditionHeaders,
  conditions,
  type ImgapiOperations,
  type ImgapiVersion,
  imageParams,
  imagePlace,
  imageQuery,
  imageReplies,
  READ_ERRORS,
  READERS,
  STORAGE_ERRORS,
  WRITE_ERRORS,
} from './form.ts';

/** Headers of a request for stored bytes. */
export const downloadHeaders = Type.Object({
  ...conditions,
  range: Type.Optional(Type.String({ description: 'One range of bytes.' })),
  'if-range': Type.Optional(Type.String({ description: 'Tag or date of the file that the range refers to.' })),
  'if-modified-since': Type.Optional(Type.String()),
  'if-unmodified-since': Type.Optional(Type.String()),
});

const storedHeaders = {
  etag: Type.Optional(Type.String({ description: 'SHA-1 of the bytes, without quotes.' })),
  'last-modified': Type.Optional(Type.String()),
  'accept-ranges': Type.Literal('bytes'),
  'content-length': Type.Integer(),
};

/** Answers with stored bytes: all of them, a range, or none because the client has them. */
export function storedReplies<const Types extends readonly string[]>(types: Types) {
  return [
    {
      status: 200,
      bytes: types,
      headers: Type.Object({
        ...storedHeaders,
        'content-md5': Type.Optional(Type.String({ description: 'Base64.' })),
      }),
    },
    {
      status: 206,
      when: 'Range asks for a part',
      bytes: types,
      headers: Type.Object({ ...storedHeaders, 'content-range': Type.String() }),
    },
    { status: 304, when: 'If-None-Match or If-Modified-Since says that the client already has it' },
  ] as const satisfies readonly Reply<ImgapiVersion>[];
}

/** Headers of a request that brings bytes to store. */
export const uploadHeaders = Type.Object({
  ...conditions,
  'content-md5': Type.Optional(Type.String({ description: 'Base64; the bytes are checked against it.' })),
});

export function compression(description: string) {
  const choice = `one of ${COMPRESSIONS.join(', ')}`;
  return needed(oneOf(COMPRESSIONS, description), {
    missing: { kind: 'Missing', message: `say how the file is compressed: ${choice}` },
  });
}

export const fileParameters = {
  storage: Type.Optional(known('Operators: the object store to put the file in.')),
  dataset_guid: Type.Optional(datasetGuid('Recorded with the file.')),
  sha1: Type.Optional(sha1('The bytes are checked against it.')),
};

export const uploadErrors = [
  ...WRITE_ERRORS,
  'QuotaExceeded',
  'ImageFilesImmutable',
  'ImageAlreadyActivated',
  'OperatorOnly',
  'Upload',
  'Download',
  'StorageIsDown',
] as const;

export const FILES = {
  AddImageFile: {
    summary: 'Stores the file of an image that is not activated yet, in place of any earlier one.',
    description:
      'The bytes are checked against everything that the request says of them, and a file that fails a check is not kept. Operators may name another IMGAPI as `source` instead of sending the bytes.',
    method: 'PUT',
    path: '/images/:uuid/file',
    since: 1,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      ...imageQuery,
      compression: Type.Optional(compression('How the bytes are compressed; required unless `source` is given.')),
      ...fileParameters,
      source: Type.Optional(known('Operators: URL of another IMGAPI that has the image, to take the file from.')),
    }),
    headers: uploadHeaders,
    body: {
      bytes: ['application/octet-stream'],
      limit: { byDefault: 20 * 1024 ** 3, setting: 'limits.fileBytes' },
    },
    replies: imageReplies,
    errors: [...uploadErrors, 'RemoteSourceError'],
  },

  AddImageFileFromUrl: {
    summary: 'Fetches the file of an image that is not activated yet from an https URL.',
    method: 'POST',
    path: '/images/:uuid/file/from-url',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    params: imageParams,
    query: Type.Object({
      ...imageQuery,
      compression: compression('How the bytes are compressed.'),
      ...fileParameters,
    }),
    headers: conditionHeaders,
    body: {
      check: 'fields',
      json: Type.Object({
        file_url: needed(Type.String({ description: 'An https URL; no redirect is followed.' }), {
          missing: { kind: 'Missing', message: 'the body must have a "file_url"' },
        }),
      }),
    },
    replies: imageReplies,
    errors: [...BODY_ERRORS, ...uploadErrors],
  },

  GetImageFile: {
    summary: "Returns the bytes of an image's file as they were stored, still compressed.",
    method: 'GET',
    path: '/images/:uuid/file',
    since: 1,
    auth: 'lenient',
    callers: READERS,
    params: imageParams,
    query: Type.Object({
      ...imagePlace,
      index: Type.Optional(known('Which file, for an image that has two; anything but a number counts as 0.')),
    }),
    headers: downloadHeaders,
    replies: storedReplies(['application/octet-stream']),
    errors: [...READ_ERRORS, ...STORAGE_ERRORS, 'ImageFileBusy'],
  },
} as const satisfies ImgapiOperations;
