/** Why a token was not accepted. Neither the message nor the cause holds any of it. */

export const TOKEN_FAULTS = [
  /** It is no token that is served here: not a JWT, too long, of another algorithm. */
  'malformed',
  /** Its key is not among those of the issuer. */
  'unknown-key',
  'bad-signature',
  /** It is over, or has not begun. */
  'expired',
  /** What it says is not what is asked for: another issuer or audience, no subject, or for too long. */
  'claims',
  /** The keys of the issuer cannot be had: nothing can be said about the token. */
  'keys-unavailable',
] as const;
export type TokenFault = (typeof TOKEN_FAULTS)[number];

export class TokenRefusal extends Error {
  override readonly name = 'TokenRefusal';
  readonly fault: TokenFault;

  constructor(fault: TokenFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
