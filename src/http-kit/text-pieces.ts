/** Text that is made piece by piece: a short one is sent as a whole, a long one as it is made. */

/**
 * Characters up to which a text is sent as a whole, with its length: enough for a page of a thousand images, which is
 * what most clients ask for.
 */
const SHORT = 1024 * 1024;

export interface TextPiece {
  readonly text: string;
  /** Whether it is the last one. */
  readonly isLast?: boolean;
}

type Pieces<P extends TextPiece> = AsyncGenerator<P, void>;

/** The beginning of a long text. */
export interface Begun<P extends TextPiece> {
  /** All of its pieces, including those that were made already. */
  readonly pieces: Texts;
  readonly held: readonly string[];
  /** The last piece of `held`. */
  readonly last: P;
}

/** The whole text and its last piece if it is short; otherwise its beginning. */
export async function wholeOrBegun<P extends TextPiece>(
  pieces: Pieces<P>,
): Promise<{ readonly text: string; readonly last?: P | undefined } | Begun<P>> {
  const held: string[] = [];
  for (let characters = 0; ; ) {
    const { value } = await pieces.next();
    if (value) held.push(value.text);
    if (!value || value.isLast) return { text: held.join(''), ...(value && { last: value }) };
    characters += value.text.length;
    if (characters >= SHORT) return { pieces: texts(pieces, held), held, last: value };
  }
}

export type Texts = AsyncIterableIterator<string> & { return(): Promise<IteratorResult<string, void>> };

/** Unlike a generator's, its `return` ends the pieces even if none was asked for yet. */
export function texts<P extends TextPiece>(pieces: Pieces<P>, held: readonly string[] = []): Texts {
  const rest = held[Symbol.iterator]();
  return {
    async next() {
      const { done, value } = rest.next();
      if (!done) return { value };
      const piece = await pieces.next();
      return piece.done ? { done: true, value: undefined } : { value: piece.value.text };
    },
    async return() {
      await pieces.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
