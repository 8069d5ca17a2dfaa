/** What all rows of IMGAPI share: its versions, its errors, and parts that many operations have. */
import { Type } from 'typebox';
import { ANY_REQUEST_ERRORS } from '../errors/common.ts';
import type { ErrorCode } from '../errors/registry.ts';
import type { CallerKind, Operations, Reply } from '../operation.ts';
import { flag, known, uuid } from '../parameters.ts';
import { ImageV1, ImageV2, ImageV3 } from '../schemas/image.ts';

export type ImgapiVersion = 1 | 2 | 3;
export type ImgapiOperations = Operations<ImgapiVersion, ErrorCode>;

/**
 * Errors that any operation may answer, whatever it is for. Of the stores too: also one that changes nothing may have
 * something to write, such as the nonce of a request of another datacenter.
 */
export const COMMON_ERRORS = [
  'InvalidVersion',
  'UnauthorizedError',
  ...ANY_REQUEST_ERRORS,
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'InsufficientStorage',
  'ServerBusy',
] as const satisfies readonly ErrorCode[];

/** Errors of an operation that reads an image: it is missing, or hidden from the caller; or the channel is unknown. */
export const READ_ERRORS = ['ResourceNotFound', 'ValidationFailed'] as const;

/** Errors of an operation that changes an image. */
export const WRITE_ERRORS = [
  ...READ_ERRORS,
  'NotImageOwner',
  'ImageCopyInProgress',
  'ImageCopyFailed',
  'ImageFileBusy',
  'PreconditionFailed',
  'Conflict',
] as const;

/** Errors of an operation that reads bytes from an object store. */
export const STORAGE_ERRORS = ['StorageIsDown', 'FileDamaged', 'RangeNotSatisfiable', 'PreconditionFailed'] as const;

/** Everyone who may see some image. */
export const READERS = ['nobody', 'stranger', 'sharee', 'owner', 'operator'] as const satisfies readonly CallerKind[];

/** Everyone who reaches the port: no image is involved. */
export const EVERYBODY = ['nobody', 'stranger', 'operator'] as const satisfies readonly CallerKind[];

/** The path of an operation on one image. */
export const imageParams = Type.Object({ uuid: uuid('The image.') });

/** On whose behalf a trusted caller asks. */
export const account = Type.Optional(uuid('Act for this account; without it, the caller acts as an operator.'));
export const accountQuery = Type.Object({ account });

/** Where an image is looked for. */
export const imagePlace = {
  account,
  channel: Type.Optional(known('Only images in this channel, where the server has channels.')),
};

/** And how it is shown. */
export const imageQuery = {
  ...imagePlace,
  inclAdminFields: Type.Optional(flag('Show `files[].stor`.')),
};

export const etagHeader = Type.Object({ etag: Type.String({ description: 'Tag of this view, without quotes.' }) });

/** A tag is that of the view which the request's version shows. */
export const conditions = {
  'if-match': Type.Optional(Type.String({ description: 'Tags, one of which must match; otherwise 412.' })),
  'if-none-match': Type.Optional(
    Type.String({ description: 'Tags, none of which may match; otherwise 304, or 412 on writes.' }),
  ),
};
export const conditionHeaders = Type.Object(conditions);

/** The answer with one image, as each version shows it. */
export const imageReplies = [
  { status: 200, versions: [1], json: ImageV1, headers: etagHeader },
  { status: 200, versions: [2], json: ImageV2, headers: etagHeader },
  { status: 200, versions: [3], json: ImageV3, headers: etagHeader },
] as const satisfies readonly Reply<ImgapiVersion>[];
