/** Faults of other servers, besides those that the HTTP client reports. */
import { cutText } from '#lib/text/cut-text.ts';

/** The source's answer is invalid; retrying does not help. */
export class SourceInvalidError extends Error {
  override readonly name = 'SourceInvalidError';

  constructor(message: string, options?: ErrorOptions) {
    super(cutText(message), options);
  }
}

/** The link with the source ended before or during the request. */
export class LinkEndedError extends SourceInvalidError {
  readonly code = 'NotLinked';

  constructor(datacenter: string) {
    super(`datacenter "${datacenter}" is no longer linked`);
  }
}
