/** Sends the bytes of a file as an answer, most of them without reading them. */
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { ByteSource, UnreadFile } from '#lib/objects/object-store.ts';
import { type FileSender, fileSender } from '#lib/runtime/sendfile.ts';
import { mostSentBySystem } from './connection-limits.ts';

/** Bytes. What is shorter costs less to read and write. */
const LEAST = 256 * 1024;
/** Bytes of one call, which holds a thread until they are read from the disk. */
const MOST = 4 * 1024 * 1024;
/** Bytes that are written after those that the system sent, to learn when there is room for more. */
const WRITTEN = 16 * 1024;

/** Downloads that the system sends. */
let sending = 0;

/**
 * Sends the bytes of a stream that nobody has read from, as {@link sendStream} does, without it.
 * @returns false, and nothing is done, if they are too few, no file's, the system cannot send them, or descriptors are few
 */
export async function sendFile(response: ServerResponse, stream: ByteSource, length: number): Promise<boolean> {
  if (length < LEAST || stream.unread?.size !== length || sending >= mostSentBySystem()) return false;
  sending += 1;
  try {
    return await sendBySystem(response, stream);
  } finally {
    sending -= 1;
  }
}

async function sendBySystem(response: ServerResponse, stream: ByteSource): Promise<boolean> {
  const sender = await fileSender(response.socket);
  const file = stream.unread;
  if (!sender || !file) {
    sender?.close();
    return false;
  }
  const failed = new Failure();
  // It is destroyed by whoever ends the download.
  const unwatch = finished(stream, (error) => failed.set(error ?? new Error('the bytes are not wanted any more')));
  response.once('close', () => failed.set(new Error('the client is gone')));
  try {
    await sendAll(response, stream, file, sender, failed);
    await failed.or((done) => response.end(done));
  } catch (error) {
    response.destroy(error as Error);
    throw error;
  } finally {
    sender.close();
    unwatch();
    stream.destroy();
  }
  return true;
}

async function sendAll(
  response: ServerResponse,
  stream: ByteSource,
  file: UnreadFile,
  sender: FileSender,
  failed: Failure,
): Promise<void> {
  for (let at = 0; at < file.size; ) {
    // This also sends the headers, and waits until there is room.
    const piece = await file.read(at, Math.min(WRITTEN, file.size - at));
    await failed.or((done) => response.write(piece, done));
    at += piece.length;
    stream.recycle?.(piece);
    if (at < file.size && response.socket?.writableLength === 0) {
      const [from, length] = [file.start + at, Math.min(MOST, file.size - at)];
      at += await file.whileOpen((descriptor) => sender.send(descriptor, from, length));
      failed.check();
    }
  }
}

/** What ends an answer early, whatever is being waited for. */
class Failure {
  #error: Error | undefined;
  #reject: ((error: Error) => void) | undefined;

  set(error: Error): void {
    this.#error ??= error;
    this.#reject?.(this.#error);
  }

  check(): void {
    if (this.#error) throw this.#error;
  }

  or(begin: (done: (error?: Error | null) => void) => void): Promise<void> {
    this.check();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#reject = reject;
    begin((error) => (error ? reject(this.#error ?? error) : resolve()));
    return promise;
  }
}
