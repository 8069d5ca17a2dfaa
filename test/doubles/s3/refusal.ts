/** An answer of S3 that says why not. */
export class S3Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function noSuchKey(): S3Refusal {
  return new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
}

export function noSuchUpload(): S3Refusal {
  return new S3Refusal(404, 'NoSuchUpload', 'The specified upload does not exist.');
}

export function notImplemented(what: string): S3Refusal {
  return new S3Refusal(501, 'NotImplemented', `${what} is not implemented.`);
}
