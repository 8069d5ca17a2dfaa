/** What all rows of CloudAPI share: its versions, its errors, and parts that many operations have. */
import { Type } from 'typebox';
import { ANY_REQUEST_ERRORS, BODY_ERRORS } from '../errors/common.ts';
import type { ErrorCode } from '../errors/registry.ts';
import type { CallerKind, Operations, Reply } from '../operation.ts';
import { uuid } from '../schemas/build.ts';
import type { CloudapiErrorCode } from './errors.ts';
import { ImageV70, ImageV71, ImageV80 } from './schemas/image.ts';

/** As `/--ping` names them. They differ in the fields of images that 7.1 shows, and in their types from 8 on. */
export const CLOUDAPI_VERSIONS = ['7.0.0', '7.1.0', '7.2.0', '7.3.0', '8.0.0', '9.0.0'] as const;
export type CloudapiVersion = (typeof CLOUDAPI_VERSIONS)[number];

export type CloudapiOperations = Operations<CloudapiVersion, CloudapiErrorCode | ErrorCode>;

/** Errors that any operation may answer with. */
export const COMMON_ERRORS = [
  'InvalidVersion',
  'InvalidCredentials',
  'NotAuthorized',
  ...ANY_REQUEST_ERRORS,
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'InsufficientStorage',
  'ServerBusy',
] as const satisfies readonly (CloudapiErrorCode | ErrorCode)[];

/** Errors of an operation that takes parameters in its body. */
export const PARAMETER_ERRORS = ['InvalidArgument', ...BODY_ERRORS, 'UnsupportedMediaType'] as const;

/**
 * Errors of operations that change an image, from IMGAPI. Its ImageCopyFailed (409) is not among them, because CloudAPI
 * has another error of that name.
 */
export const WRITE_ERRORS = [
  'ResourceNotFound',
  'NotImageOwner',
  'ImageCopyInProgress',
  'ImageFileBusy',
  'Conflict',
] as const;

/** What all operations have in common, except those that need no account. */
export const signed = { since: '7.0.0', auth: 'strict' } as const;

/** Any account, whatever it is to the image. */
export const ACCOUNTS = ['stranger', 'sharee', 'owner', 'operator'] as const satisfies readonly CallerKind[];

const account = Type.String({ description: 'Login or UUID of the account, or `my`.' });
export const accountParams = Type.Object({ account });
export const imageParams = Type.Object({ account, id: uuid('The image.') });

const V71 = ['7.1.0', '7.2.0', '7.3.0'] as const;
const V80 = ['8.0.0', '9.0.0'] as const;

/** The answer with one image, as each version shows it. */
export const imageReplies = [
  { status: 200, versions: ['7.0.0'], json: ImageV70 },
  { status: 200, versions: V71, json: ImageV71 },
  { status: 200, versions: V80, json: ImageV80 },
] as const satisfies readonly Reply<CloudapiVersion>[];

export const imageListReplies = [
  { status: 200, versions: ['7.0.0'], json: Type.Array(ImageV70) },
  { status: 200, versions: V71, json: Type.Array(ImageV71) },
  { status: 200, versions: V80, json: Type.Array(ImageV80) },
] as const satisfies readonly Reply<CloudapiVersion>[];
