import { Readable } from 'node:stream';

/**
 * The pieces of a source, until it ends or the signal aborts: then it rejects at once with the signal's reason, also
 * while the source stays silent. A stream is left open when reading ends early, for it is the caller's (an HTTP server
 * still wants to answer on the connection of a body that it refused); another iterator is told to return.
 */
export async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator =
    source instanceof Readable ? source.iterator({ destroyOnReturn: false }) : source[Symbol.asyncIterator]();
  let abort: (reason: unknown) => void = () => undefined;
  const onAbort = () => abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  let ended = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        abort = reject;
        iterator.next().then(resolve, reject);
      });
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!ended) {
      // Not awaited: it waits for a silent source, and its failure is of no interest any more.
      iterator.return?.().catch(() => undefined);
    }
  }
}
