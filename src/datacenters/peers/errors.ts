/** What other servers do wrong, beyond the failures that the client itself tells. */
import { cutText } from '#lib/text/cut-text.ts';

/** The source answered with something that cannot be right; retrying the same does not help. */
export class SourceInvalidError extends Error {
  override readonly name = 'SourceInvalidError';

  constructor(message: string, options?: ErrorOptions) {
    super(cutText(message), options);
  }
}

/** The link with the source ended, before or while it was asked. */
export class LinkEndedError extends SourceInvalidError {
  readonly code = 'NotLinked';

  constructor(datacenter: string) {
    super(`datacenter "${datacenter}" is no longer linked`);
  }
}
