import { Readable } from 'node:stream';
import { turnForBytes } from '../runtime/bulk.ts';
import { TooLargeError } from './errors.ts';
import { letGo } from './let-go.ts';

export interface IncomingOptions {
  readonly signal: AbortSignal;
  /** Maximum number of bytes, including the `taken` ones that came before. */
  readonly limit: number;
  readonly taken: number;
  /** See `AppendOptions`. */
  readonly disposable: boolean;
}

/**
 * The pieces of a source, until it ends, exceeds the limit, or the signal aborts. An abort rejects immediately with the
 * signal's reason, even while the source is silent. If reading ends early, a stream is left open, because it belongs to
 * the caller (an HTTP server still has to answer on the connection of a body that it refused); any other iterator is told
 * to return. Each piece is valid until the next one is asked for.
 */
export async function* incoming(
  source: AsyncIterable<Uint8Array>,
  { signal, limit, taken: before, disposable }: IncomingOptions,
): AsyncGenerator<Uint8Array> {
  const iterator =
    source instanceof Readable ? source.iterator({ destroyOnReturn: false }) : source[Symbol.asyncIterator]();
  let abort: (reason: unknown) => void = () => undefined;
  const onAbort = () => abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  let ended = false;
  let taken = before;
  try {
    for (;;) {
      const turn = turnForBytes();
      if (turn !== undefined) await turn;
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        abort = reject;
        iterator.next().then(resolve, reject);
      });
      if (next.done === true) {
        ended = true;
        return;
      }
      const { value: piece } = next;
      taken += piece.length;
      if (taken > limit) throw new TooLargeError(limit);
      yield piece;
      if (disposable) letGo(piece);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!ended) {
      // Not awaited: it would wait for a silent source, and its failure no longer matters.
      iterator.return?.().catch(() => undefined);
    }
  }
}
