import type { ByteSource, Hashes } from '../object-store.ts';
import { HashFeed } from './feed.ts';
import type { HashStream } from './stream.ts';

/** Hashes all bytes of an object that is read again; closes both. @throws what the source does; the signal's reason */
export async function hashSource(source: ByteSource, hash: HashStream, signal?: AbortSignal): Promise<Hashes> {
  const feed = new HashFeed(hash);
  const onAbort = (): void => void source.destroy(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    for await (const piece of source) await feed.write(piece);
    feed.flush();
    return await hash.digest();
  } finally {
    signal?.removeEventListener('abort', onAbort);
    hash.close();
    source.destroy();
  }
}
