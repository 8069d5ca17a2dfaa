/** The file of an image. */
import { Type } from 'typebox';
import { COMPRESSIONS } from '../../manifest/record.ts';
import { datasetGuid, known, oneOf, sha1 } from '../parameters.ts';
import { type ImgapiOperations, imageParams, imageQuery, WRITE_ERRORS } from './form.ts';
import { imageReplies } from './image-replies.ts';

export const FILES = {
  AddImageFile: {
    summary: 'Stores the file of an image that is not activated yet, in place of the one that it has.',
    description: 'Nothing that fails a check is kept.',
    method: 'PUT',
    path: '/images/:uuid/file',
    since: 1,
    auth: 'strict',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({
      ...imageQuery,
      source: Type.Optional(known('Operators: another IMGAPI to take the file from, instead of a body.')),
      compression: Type.Optional(oneOf(COMPRESSIONS, 'How the bytes are compressed; required of a body.')),
      storage: Type.Optional(known('Operators: the object store to put it in.')),
      dataset_guid: Type.Optional(datasetGuid('Noted with the file.')),
      sha1: Type.Optional(sha1('The bytes are held against it.')),
    }),
    headers: Type.Object({ 'content-md5': Type.Optional(Type.String({ description: 'Base64; checked.' })) }),
    body: { bytes: ['application/octet-stream'] },
    replies: imageReplies,
    errors: [
      ...WRITE_ERRORS,
      'ImageFilesImmutable',
      'ImageFileBusy',
      'ImageAlreadyActivated',
      'Upload',
      'Download',
      'OperatorOnly',
      'RemoteSourceError',
      'StorageIsDown',
    ],
  },
} as const satisfies ImgapiOperations;
