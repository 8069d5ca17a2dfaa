/** What is said about a value that a request brings: annotations of its schema, so that rows say it with the schema. */

export interface Wording {
  /**
   * Completes "it must be …" in the error about a value that is not of the schema. Without it and `refusal` the value is
   * handed on as it came.
   */
  readonly mustBe?: string;
  /** The whole message of that error, in place of `mustBe`. */
  readonly refusal?: string;
  /** What the handler asks for and the request does not have. */
  readonly missing?: Missing;
  /** The code of these errors, where it is not the usual one. */
  readonly error?: 'ValidationFailed';
  /** The field that the error names, where the schema is that of a whole body. */
  readonly about?: string;
}

export interface Missing {
  readonly message: string;
  /** Of the field, in the error; an API may do without. */
  readonly kind?: 'Missing' | 'MissingParameter' | 'Invalid';
  /** What else counts as missing. */
  readonly also?: readonly ('empty' | 'no text')[];
}

export const WORDS = ['mustBe', 'refusal', 'missing', 'error', 'about'] as const satisfies readonly (keyof Wording)[];
