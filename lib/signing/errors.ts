/** Why a signature was not accepted. */
import { cutText } from '../text/cut-text.ts';

export const SIGNATURE_FAULTS = [
  /** The request carries no signature at all. */
  'missing',
  /** There is one, but it cannot be understood. */
  'malformed',
  /** Its algorithm is not accepted here. */
  'unsupported-algorithm',
  /** A header that has to be signed is not. */
  'unsigned-header',
  /** It names an unknown key. */
  'unknown-key',
  /** It does not verify with any key of that name. */
  'bad-signature',
  /** It verifies, but the sender's clock and ours differ too much. */
  'skew',
  /** It verifies, but the time that it was made for is over. */
  'expired',
  /** The body is not the one whose digest was signed. */
  'digest',
] as const;
export type SignatureFault = (typeof SIGNATURE_FAULTS)[number];

/** The difference between two clocks. */
export interface ClockSkew {
  /** Seconds, positive when the sender's clock is ahead of ours. */
  readonly seconds: number;
  readonly requestTime: Date;
  readonly ourTime: Date;
  /** Seconds that are allowed either way. */
  readonly allowed: number;
}

export interface SignatureErrorOptions extends ErrorOptions {
  readonly keyId?: string;
  readonly skew?: ClockSkew;
}

/** The message says what to fix. It reveals nothing that a stranger may not know, and shortens what one sent. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly fault: SignatureFault;
  /** As named by the request, once it has been read. */
  readonly keyId: string | undefined;
  /** With the fault `skew` only. */
  readonly skew: ClockSkew | undefined;

  constructor(fault: SignatureFault, message: string, options: SignatureErrorOptions = {}) {
    super(cutText(message), options);
    this.fault = fault;
    this.keyId = options.keyId === undefined ? undefined : cutText(options.keyId);
    this.skew = options.skew;
  }
}

/** A signed URL that is not, or no longer, valid. */
export class SignedUrlError extends Error {
  override readonly name = 'SignedUrlError';
  readonly fault: 'expired' | 'bad';

  constructor(fault: 'expired' | 'bad', message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A key that cannot be used; the message names it, never its content. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}
