/**
 * Every error that the service answers with: code, HTTP status, a sample message, and what the reader can do. The docs,
 * the samples of `/ping?error=` and the negative tests are made from this table; nothing else names a status.
 */

export interface ErrorSpec {
  readonly status: number;
  /** When it is answered; also the message of its sample. */
  readonly when: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** Whether it ends by itself, as when what was away is back: the answer then says when to come again. */
  readonly passes?: true;
}

export const ERRORS = {
  // 400: the request cannot be understood, or its bytes are not what they claim to be.
  InvalidVersion: {
    status: 400,
    when: 'no served API version satisfies Accept-Version',
    remedy: 'Ask for ~1, ~2 or ~3.',
  },
  InvalidContent: {
    status: 400,
    when: 'the body is not valid JSON, is not UTF-8, or contains a number that cannot be kept exactly',
    remedy: 'Send UTF-8 JSON; write long numbers as strings.',
  },
  InvalidHeader: { status: 400, when: 'a request header cannot be parsed', remedy: 'Correct the header.' },
  BadDigest: { status: 400, when: 'Content-MD5 does not match the body', remedy: 'Send the body again.' },
  BadRequest: { status: 400, when: 'the request cannot be understood', remedy: 'Correct the request.' },
  Upload: {
    status: 400,
    when: 'an upload is larger than allowed or not what it claims to be',
    remedy: 'Check size and hash.',
  },
  Download: { status: 400, when: 'the received bytes are not what was announced', remedy: 'Send the file again.' },
  ImageFileTooBig: { status: 400, when: 'a layer is larger than the limit', remedy: 'Use a smaller image.' },
  NotImplemented: {
    status: 400,
    when: 'this action does not support images of this kind',
    remedy: 'Use another image.',
  },
  // 401, 403
  UnauthorizedError: {
    status: 401,
    when: 'the signature is missing or invalid, or the image belongs to someone else',
    remedy: 'Sign with a key that the server knows.',
  },
  OperatorOnly: {
    status: 403,
    when: 'only operators may do this',
    remedy: 'As an operator, leave out the account parameter.',
  },
  Forbidden: { status: 403, when: 'the link or key may not do this', remedy: 'Ask the operator of that datacenter.' },
  QuotaExceeded: {
    status: 403,
    when: 'the account may not keep so many images or bytes',
    remedy: 'Delete images that are not needed, for good (`purge`); or ask an operator for a larger quota.',
  },
  // 404, 405
  ResourceNotFound: {
    status: 404,
    when: 'there is no such image, or none that the caller may see',
    remedy: 'Check the UUID and the account.',
  },
  MethodNotAllowedError: {
    status: 405,
    when: 'the path does not support this method',
    remedy: 'Use a method that the Allow header names.',
  },
  // 408, 409
  RequestTimeout: {
    status: 408,
    when: 'the request or its body did not arrive in time',
    remedy: 'Send it again, without long pauses.',
  },
  InvalidArgument: {
    status: 409,
    when: 'POST /state has an action that does not exist',
    remedy: 'Ask for dropcaches.',
  },
  MissingParameter: { status: 409, when: 'POST /state has no action', remedy: 'Ask for dropcaches.' },
  ImageUuidAlreadyExists: {
    status: 409,
    when: 'an image with this UUID already exists here',
    remedy: 'Use that image, or delete it first; if it was deleted and is kept, restore or purge it.',
  },
  ImageNotDeleted: {
    status: 409,
    when: 'the image is here; only a deleted one can be restored or purged',
    remedy: 'It is there; delete it first.',
  },
  ImageProtected: {
    status: 409,
    when: 'the image is protected from deletion',
    remedy: 'Lift the protection first: action=unprotect.',
  },
  ImageCopyInProgress: {
    status: 409,
    when: 'the image is still being copied from another datacenter',
    remedy: 'Wait for the copy, or cancel it.',
  },
  ImageCopyFailed: {
    status: 409,
    when: 'the image is what a failed copy left behind',
    remedy: 'Copy it again, or delete it.',
  },
  CopyAlreadyFinished: { status: 409, when: 'the copy has already ended', remedy: 'Look at its result.' },
  OriginMismatch: {
    status: 409,
    when: 'an origin that is here has a different file from the same image at the source',
    remedy: 'Verify both images: one is damaged, or two images have the same UUID.',
  },
  ImageFileBusy: {
    status: 409,
    when: 'another writer is storing a file of this image',
    remedy: 'Try again in a moment.',
  },
  UploadInProgress: {
    status: 409,
    when: 'another request is sending the file of this image right now',
    remedy: 'Wait until it has ended, then ask for the offset and go on there.',
  },
  UploadOffsetMismatch: {
    status: 409,
    when: 'the bytes do not begin where the upload goes on',
    remedy: 'Go on at the byte that the header Upload-Offset names.',
  },
  LinkAlreadyExists: {
    status: 409,
    when: 'a datacenter with that name is already linked, with other keys',
    remedy: 'Unlink it first.',
  },
  Conflict: { status: 409, when: 'the object kept changing while it was being written', remedy: 'Try again.' },
  // 412, 413, 414, 415, 416, 417
  PreconditionFailed: {
    status: 412,
    when: "the image does not meet the request's condition, such as If-Match",
    remedy: 'Read it again, then decide.',
  },
  RequestEntityTooLarge: { status: 413, when: 'the JSON body is larger than 1 MiB', remedy: 'Send less.' },
  RequestUriTooLong: {
    status: 414,
    when: 'the path and query are longer than 16 KiB',
    remedy: 'Ask for less in one request.',
  },
  UnsupportedMediaType: {
    status: 415,
    when: 'Content-Type is not the one that the operation takes',
    remedy: 'Send the type that the message and the header Accept-Patch name.',
  },
  RangeNotSatisfiable: {
    status: 416,
    when: 'the range begins after the end of the file',
    remedy: 'Ask for a range within the file.',
  },
  ExpectationFailed: {
    status: 417,
    when: 'Expect asks for something other than 100-continue',
    remedy: 'Leave out the header.',
  },
  // 422: understood, but not acceptable.
  ValidationFailed: { status: 422, when: 'the manifest or a required parameter is invalid', remedy: 'See errors[].' },
  InvalidParameter: { status: 422, when: 'a parameter is invalid', remedy: 'See errors[].' },
  ImageFilesImmutable: {
    status: 422,
    when: 'files cannot be changed once the image is activated',
    remedy: 'Create a new image.',
  },
  ImageAlreadyActivated: {
    status: 422,
    when: 'the image is already activated',
    remedy: 'Nothing: it is ready for use.',
  },
  NoActivationNoFile: {
    status: 422,
    when: 'an image without a file cannot be activated',
    remedy: 'Add the file first.',
  },
  OwnerDoesNotExist: { status: 422, when: 'the owner is not in the directory', remedy: 'Check the owner UUID.' },
  AccountDoesNotExist: { status: 422, when: 'the account is not in the directory', remedy: 'Check the account UUID.' },
  NotImageOwner: { status: 422, when: 'the account can see the image but does not own it', remedy: 'Ask its owner.' },
  ImageNotShared: {
    status: 422,
    when: 'the image is not shared with the account',
    remedy: 'Ask its owner to share it.',
  },
  NotMantaPathOwner: {
    status: 422,
    when: 'the Manta path belongs to another account',
    remedy: 'Export below your own login.',
  },
  OriginDoesNotExist: {
    status: 422,
    when: 'the origin image is not here, or the account may not see it',
    remedy: 'Import or copy the origin first, or ask its owner to share it.',
  },
  OriginIsNotActive: { status: 422, when: 'the origin image is not active', remedy: 'Activate the origin first.' },
  OriginChainTooLong: {
    status: 422,
    when: 'the chain of origins has more than 100 images, or loops back on itself',
    remedy: 'Flatten the image.',
  },
  InsufficientServerVersion: { status: 422, when: "the server's platform is too old", remedy: 'Update the platform.' },
  ImageHasDependentImages: {
    status: 422,
    when: 'other images use it as their origin',
    remedy: 'Delete the images that the error names first; if it names none, end the shares.',
  },
  // 429, 431
  TooManyRequests: {
    status: 429,
    when: 'the link, or the account, has used up its request budget, or has its share of long requests under way',
    remedy: 'Slow down; try again after Retry-After.',
  },
  RequestHeaderFieldsTooLarge: {
    status: 431,
    when: 'the request line and headers are larger than 32 KiB',
    remedy: 'Send smaller headers.',
  },
  // 5xx: not the caller's doing.
  InternalError: {
    status: 500,
    when: 'something went wrong in the service; its log has the details under the request id',
    remedy: 'Report the request id.',
  },
  NotAvailable: { status: 501, when: 'the action is not configured here', remedy: 'Ask the operator.' },
  StorageIsDown: {
    status: 503,
    when: 'the object store cannot be reached',
    remedy: 'Try again after Retry-After.',
    passes: true,
  },
  FileDamaged: {
    status: 503,
    when: 'the stored bytes of the file are not what its record says, or too few',
    remedy: 'Tell the operator: imgapiadm verify --repair.',
  },
  StorageUnsupported: {
    status: 503,
    when: 'the action needs an object store that is not configured',
    remedy: 'Ask the operator.',
  },
  RemoteSourceError: {
    status: 503,
    when: 'the other IMGAPI could not be used as a source',
    remedy: 'Try again after Retry-After; without it, check the link and what the message names.',
  },
  ServiceUnavailable: {
    status: 503,
    when: 'a service that this one needs cannot be reached',
    remedy: 'Try again after Retry-After.',
    passes: true,
  },
  ServerBusy: {
    status: 503,
    when: 'as many uploads, downloads, lists, copies, watches or plans are under way as the process takes',
    remedy: 'Try again after Retry-After.',
    passes: true,
  },
  InsufficientStorage: {
    status: 507,
    when: 'the object store has no room for the file, or the document store none for what is to be written',
    remedy: 'Free some space.',
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;
