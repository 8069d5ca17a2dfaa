/** Uploads that survive their connection, by the names of the IETF's draft on resumable uploads. */
import { Type } from 'typebox';
import { uuid } from '../parameters.ts';
import { PARTIAL_UPLOAD } from '../partial-upload.ts';
import { ImageV3 } from '../schemas/image.ts';
import { Upload } from '../schemas/upload.ts';
import { compression, fileParameters, uploadErrors } from './files.ts';
import { conditions, etagHeader, type ImgapiOperations, imageParams, imageQuery, WRITE_ERRORS } from './form.ts';

const offset = Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes that are safe.' }));
const uploadHeaders = {
  'upload-offset': offset,
  'upload-length': Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes of the whole file.' })),
  'upload-complete': Type.Optional(Type.String({ description: '`?1` when the image has the file, else `?0`.' })),
};

const session = {
  path: '/images/:uuid/uploads/:upload',
  since: 3,
  auth: 'strict',
  callers: ['owner', 'operator'],
  params: Type.Object({ ...imageParams.properties, upload: uuid('The upload.') }),
  query: Type.Object(imageQuery),
} as const;

export const UPLOADS = {
  BeginImageUpload: {
    summary:
      'Begins an upload of the file of an image that goes on where it stopped, or finds the one that began before.',
    description:
      'Whoever asks again with the same length, SHA-1 and compression gets the same upload, with the offset at which it goes on. Other bytes take the place of an upload to which nobody is sending. An image has one upload at a time; it is given up when no bytes come for `uploads.keepSeconds`.',
    method: 'POST',
    path: '/images/:uuid/uploads',
    since: 3,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      ...imageQuery,
      compression: compression('How the bytes are compressed.'),
      ...fileParameters,
    }),
    headers: Type.Object({
      ...conditions,
      'upload-length': Type.Integer({ minimum: 1, description: 'Bytes of the whole file.' }),
    }),
    replies: [
      {
        status: 201,
        json: Upload,
        headers: Type.Object({ ...uploadHeaders, location: Type.String({ description: 'Path of the upload.' }) }),
      },
      {
        status: 200,
        when: 'it began before',
        json: Upload,
        headers: Type.Object({ ...uploadHeaders, location: Type.String({ description: 'Path of the upload.' }) }),
      },
    ],
    errors: [...uploadErrors, 'UploadInProgress'],
  },

  GetImageUpload: {
    ...session,
    summary: 'Tells at which byte an upload goes on.',
    method: 'GET',
    replies: [{ status: 200, json: Upload, headers: Type.Object(uploadHeaders) }],
    errors: [...WRITE_ERRORS, 'ImageFilesImmutable'],
  },

  AppendImageUpload: {
    ...session,
    summary: 'Brings bytes of an upload, from its offset on; the last one makes the file that of the image.',
    description:
      'Send all that is missing in one request: each reads again what is there. What arrived counts, however the request ends. While one request brings bytes, another one is refused. The whole file is compared with its SHA-1; if it differs, the upload is over and nothing of it is kept.',
    method: 'PATCH',
    headers: Type.Object({
      ...conditions,
      'upload-offset': Type.Integer({ minimum: 0, description: 'Where the bytes begin.' }),
    }),
    body: {
      bytes: [PARTIAL_UPLOAD],
      limit: { byDefault: 20 * 1024 ** 3, setting: 'limits.fileBytes' },
    },
    replies: [
      {
        status: 200,
        when: 'the image has its file',
        json: ImageV3,
        headers: Type.Object({ ...etagHeader.properties, ...uploadHeaders }),
      },
      { status: 204, when: 'more is to come', headers: Type.Object(uploadHeaders) },
    ],
    errors: [...uploadErrors, 'UploadInProgress', 'UploadOffsetMismatch', 'UnsupportedMediaType'],
  },

  CancelImageUpload: {
    ...session,
    summary: 'Gives an upload up; nothing of it is kept.',
    method: 'DELETE',
    replies: [{ status: 204 }],
    errors: WRITE_ERRORS,
  },
} as const satisfies ImgapiOperations;
