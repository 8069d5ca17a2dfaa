/** CloudAPI's own errors, as its clients know them. Those of IMGAPI are passed on as well, with IMGAPI's messages. */
import type { ErrorSpec } from '../errors/registry.ts';

export const CLOUDAPI_ERRORS = {
  InvalidVersion: {
    status: 400,
    when: 'no version that is served satisfies Accept-Version',
    remedy: 'Ask for ~9, ~8 or ~7.',
  },
  BadRequest: { status: 400, when: 'the request cannot be understood', remedy: 'Correct the request.' },
  InvalidHeader: {
    status: 400,
    when: 'the Authorization header cannot be read, or its date is not now',
    remedy: 'Sign it as HTTP Signature has it, over a Date of now; check the clock.',
  },
  InvalidCredentials: {
    status: 401,
    when: 'the request is not signed, or not with a key of that name and account',
    remedy: 'Sign it with a key of the account.',
  },
  NotAuthorized: {
    status: 403,
    when: "the account may not do this, or the path is another account's; or no policy allows it to the sub-user",
    remedy: 'Use the path of the account whose key signs, or `my`. For a sub-user the account has to allow the action.',
  },
  ResourceNotFound: {
    status: 404,
    when: 'there is no such thing, or the account may not see it',
    remedy: 'Check the UUID; ask the owner to share the image.',
  },
  InvalidArgument: { status: 409, when: 'a parameter is not what it must be', remedy: 'Correct the parameter.' },
  MissingParameter: { status: 409, when: 'a parameter is missing', remedy: 'Send it.' },
  ImageCopyCanceled: {
    status: 409,
    when: 'the copy was canceled while the request waited for it',
    remedy: 'Order it again.',
  },
  UnsupportedMediaType: {
    status: 415,
    when: 'the body is neither JSON nor a form; or, where bytes are sent, not of the type that the operation takes',
    remedy: 'Send application/json, or the type that the message names.',
  },
  ImageIsNotActive: { status: 422, when: 'the image is not active', remedy: 'Activate it first.' },
  ClientGone: { status: 499, when: 'the client left before it had its answer', remedy: 'Ask again.' },
  InternalError: {
    status: 500,
    when: 'an unexpected error occurred; the log has it under the request id',
    remedy: 'Report the request id.',
  },
  NotAvailable: {
    status: 501,
    when: 'it is not done here',
    remedy: 'See the message: accounts are managed elsewhere, and images of machines need VMAPI and CNAPI.',
  },
  ImageCopyFailed: {
    status: 503,
    when: 'the copy failed while the request waited for it',
    remedy: 'See why, and try again.',
  },
  ServiceUnavailable: {
    status: 503,
    when: 'IMGAPI or the directory of accounts cannot be reached, or IMGAPI does not take the requests of CloudAPI',
    remedy: 'Try again later.',
  },
} as const satisfies Record<string, ErrorSpec>;
export type CloudapiErrorCode = keyof typeof CLOUDAPI_ERRORS;
