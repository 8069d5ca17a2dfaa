/** Errors that operations of every API may answer, for they are about requests as such. */
import type { ErrorCode } from './registry.ts';

/** Of any request. */
export const ANY_REQUEST_ERRORS = [
  'BadRequest',
  'InvalidHeader',
  'InvalidParameter',
  'RequestTimeout',
  'RequestUriTooLong',
  'ExpectationFailed',
  'RequestHeaderFieldsTooLarge',
] as const satisfies readonly ErrorCode[];

/** Of one with a JSON body. */
export const BODY_ERRORS = [
  'InvalidContent',
  'BadDigest',
  'RequestEntityTooLarge',
] as const satisfies readonly ErrorCode[];
