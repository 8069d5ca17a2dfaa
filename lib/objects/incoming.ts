import { Readable } from 'node:stream';
import { TooLargeError } from './errors.ts';
import { letGo } from './let-go.ts';

export interface IncomingOptions {
  readonly signal: AbortSignal;
  /** Bytes at the most, with the `taken` ones that came before. */
  readonly limit: number;
  readonly taken: number;
  /** See `AppendOptions`. */
  readonly disposable: boolean;
}

/**
 * The pieces of a source, until it ends, brings more than the limit or the signal aborts: then it rejects at once with
 * the signal's reason, also while the source stays silent. A stream is left open when reading ends early, for it is the
 * caller's (an HTTP server still wants to answer on the connection of a body that it refused); another iterator is told
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
      // Not awaited: it waits for a silent source, and its failure is of no interest any more.
      iterator.return?.().catch(() => undefined);
    }
  }
}
