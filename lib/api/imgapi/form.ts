/** What all rows of IMGAPI share: its versions, its errors, and parameters that many operations have. */
import { Type } from 'typebox';
import type { ErrorCode } from '../errors/registry.ts';
import type { Operations } from '../operation.ts';
import { flag, known, uuid } from '../parameters.ts';

export type ImgapiVersion = 1 | 2 | 3;
export type ImgapiOperations = Operations<ImgapiVersion, ErrorCode>;

/** Errors that any operation may answer, whatever it is for. */
export const COMMON_ERRORS = [
  'InvalidVersion',
  'BadRequest',
  'InvalidHeader',
  'InvalidParameter',
  'RequestTimeout',
  'RequestUriTooLong',
  'ExpectationFailed',
  'RequestHeaderFieldsTooLarge',
  'InternalError',
  'ServiceUnavailable',
] as const satisfies readonly ErrorCode[];

/** Of what reads an image: it is not there, or not for the caller to see; a channel or a flag of the request is wrong. */
export const READ_ERRORS = ['ResourceNotFound', 'ValidationFailed', 'UnauthorizedError'] as const;

/** Of what changes an image. */
export const WRITE_ERRORS = [
  ...READ_ERRORS,
  'NotImageOwner',
  'ImageCopyInProgress',
  'ImageCopyFailed',
  'PreconditionFailed',
  'Conflict',
  'InsufficientStorage',
] as const;

/** Of an operation on one image. */
export const imageParams = Type.Object({ uuid: uuid('The image.') });

/** As whom a trusted caller asks. */
export const account = Type.Optional(uuid('Act for this account; without it the caller is an operator.'));

/** What every answer with an image depends on. */
export const imageQuery = {
  account,
  channel: Type.Optional(known('Only images in this channel, where the server has channels.')),
  inclAdminFields: Type.Optional(flag('Show `files[].stor`.')),
};

export const etagHeader = Type.Object({ etag: Type.String({ description: 'Tag of this view, without quotes.' }) });

/** Guards against overwriting what somebody else changed. */
export const writeConditions = Type.Object({
  'if-match': Type.Optional(Type.String()),
  'if-none-match': Type.Optional(Type.String()),
});
