/** Errors that the operations of every API may return, because they are about requests as such. */
import type { ErrorCode } from './registry.ts';

/** Errors of any request. */
export const ANY_REQUEST_ERRORS = [
  'BadRequest',
  'InvalidHeader',
  'InvalidParameter',
  'RequestTimeout',
  'RequestUriTooLong',
  'ExpectationFailed',
  'RequestHeaderFieldsTooLarge',
] as const satisfies readonly ErrorCode[];

/** Errors of a request with a JSON body. */
export const BODY_ERRORS = [
  'InvalidContent',
  'BadDigest',
  'RequestEntityTooLarge',
] as const satisfies readonly ErrorCode[];
