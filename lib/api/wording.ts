/** What errors say about a value in a request, as annotations of its schema, so that rows define both together. */

export interface Wording {
  /**
   * Completes "it must be …" in the error about a value that does not match the schema. Without this and `refusal`, the
   * value is passed on as it came.
   */
  readonly mustBe?: string;
  /** The whole message of that error, in place of `mustBe`. */
  readonly refusal?: string;
  /** The error when the handler asks for the value and the request does not have it. */
  readonly missing?: Missing;
  /** An empty text is a value like any other, even where the API takes empty values as absent. */
  readonly emptyCounts?: true;
  /** The code of these errors, if it is not the usual one. */
  readonly error?: 'ValidationFailed';
  /** The field that the error names, if the schema is that of a whole body. */
  readonly about?: string;
}

export interface Missing {
  readonly message: string;
  /** What the error says is wrong with the field; not every API uses it. */
  readonly kind?: 'Missing' | 'MissingParameter' | 'Invalid';
  /** What else counts as missing. */
  readonly also?: readonly ('empty' | 'no text')[];
}

export const WORDS = [
  'mustBe',
  'refusal',
  'missing',
  'error',
  'about',
  'emptyCounts',
] as const satisfies readonly (keyof Wording)[];
