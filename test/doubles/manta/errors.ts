/** Manta's errors: codes as on the wire, with their statuses. */

const STATUSES = {
  ContentMD5Mismatch: 400,
  InvalidMaxContentLength: 400,
  InvalidUpdate: 400,
  InvalidResource: 400,
  LocationRequired: 400,
  LinkNotObject: 400,
  DirectoryNotEmpty: 400,
  OperationNotAllowedOnDirectory: 400,
  OperationNotAllowedOnRootDirectory: 400,
  ParentNotDirectory: 400,
  InvalidArgumentError: 400,
  BadRequest: 400,
  InvalidHeader: 400,
  InvalidVersion: 400,
  RequestExpired: 400,
  InvalidAlgorithm: 401,
  AuthorizationFailed: 403,
  AccountDoesNotExist: 403,
  UserDoesNotExist: 403,
  KeyDoesNotExist: 403,
  InvalidKeyId: 403,
  InvalidSignature: 403,
  InvalidQueryStringAuthentication: 403,
  SecureTransportRequired: 403,
  SnaplinksDisabledError: 403,
  QueryParameterForbidden: 403,
  NoMatchingRoleTag: 403,
  ResourceNotFound: 404,
  DirectoryDoesNotExist: 404,
  SourceObjectNotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  UploadTimeout: 408,
  ConcurrentRequest: 409,
  DirectoryLimitExceeded: 409,
  MultipartUploadInvalidArgument: 409,
  InvalidMultipartUploadState: 409,
  PreconditionFailed: 412,
  MaxContentLengthExceeded: 413,
  RangeNotSatisfiable: 416,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  NotEnoughSpace: 507,
} as const;

export type MantaCode = keyof typeof STATUSES;

export class MantaFault extends Error {
  readonly code: MantaCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: MantaCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = STATUSES[code];
    this.headers = headers;
  }
}
