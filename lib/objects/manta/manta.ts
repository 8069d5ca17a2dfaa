/** One Manta as the files of this folder use it: its names, its bytes, and where our things are in it. */
import type { Clock } from '../../runtime/clock.ts';
import type { BlockPool } from '../block-pool.ts';
import { ObjectStoreUnavailableError, ObjectTruncatedError, TooLargeError } from '../errors.ts';
import type { Retries } from '../retries.ts';
import type { StagingRegister } from '../staging/register.ts';
import type { Bytes, BytesAnswer } from './bytes.ts';
import type { Directories } from './directories.ts';
import { notMantas } from './failure.ts';
import type { Features } from './features.ts';
import { encodePath, type Layout } from './layout.ts';
import type { NameInfo, Names } from './names.ts';
import type { PartMemory } from './part-memory.ts';
import { withRetries } from './retry.ts';

/** What a session must know to find its bytes, and to be fenced. */
export interface SessionState {
  /** Somebody has discarded it: nothing of it may become an object any more. */
  readonly gone?: true;
  /** Until then its bytes may become an object at any moment; milliseconds by the clock of the documents. */
  readonly placingUntil?: number;
  /** Id and parts directory of its multipart upload. */
  readonly upload?: { readonly id: string; readonly directory: string };
}

export interface Manta {
  /** Login of the account. */
  readonly user: string;
  readonly layout: Layout;
  readonly names: Names;
  readonly bytes: Bytes;
  readonly directories: Directories;
  readonly register: StagingRegister<SessionState>;
  readonly features: Features;
  /** For pieces. */
  readonly memory: BlockPool;
  readonly partMemory: PartMemory;
  readonly retries: Retries;
  /** That of the documents. */
  readonly clock: Clock;
  /** Copies that Manta keeps of each object. */
  readonly copies: number;
  /** Milliseconds for which Manta may do nothing while it is its turn. */
  readonly timeout: number;
}

export interface WholeObject {
  readonly path: string;
  readonly body: () => Uint8Array | AsyncIterable<Uint8Array>;
  readonly size: number;
  /** Base64. */
  readonly md5: string;
  readonly signal?: AbortSignal;
  readonly timeout?: number;
  /** Makes each attempt to send it. */
  readonly attempt?: (send: () => Promise<void>) => Promise<void>;
}

/**
 * Puts an object that Manta verifies by its md5. The body is made again for each attempt; if an answer is lost, what lies
 * under the path tells whether Manta took it.
 */
export async function putObject(manta: Manta, object: WholeObject): Promise<void> {
  const { path, body, size, md5, signal, timeout, attempt: make = (send) => send() } = object;
  await withRetries(
    manta.retries,
    async (attempt) => {
      if (attempt > 1 && isSame(await manta.names.info(path), object)) return;
      const send = () =>
        manta.bytes.sendBriefly({
          method: 'PUT',
          path: encodePath(path),
          headers: {
            'content-length': size,
            'content-md5': md5,
            'content-type': 'application/octet-stream',
            'durability-level': manta.copies,
          },
          body: exactly(path, size, body()),
          signal,
          ...(timeout !== undefined && { timeout }),
        });
      await make(async () => {
        const { headers } = await manta.directories.placing(path, send);
        assertTaken(headers, md5, path);
      });
    },
    signal,
  );
}

/** The body as announced; Manta would wait in vain for the rest of a shorter one. @throws ObjectTruncatedError; TooLargeError */
function exactly(path: string, size: number, body: ReturnType<WholeObject['body']>): typeof body {
  return body instanceof Uint8Array ? body : counted(path, size, body);
}

async function* counted(
  path: string,
  size: number,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sent = 0;
  for await (const piece of body) {
    sent += piece.length;
    if (sent > size) throw new TooLargeError(size);
    yield piece;
  }
  if (sent < size) throw new ObjectTruncatedError(path, size, sent);
}

/** @throws ObjectStoreUnavailableError when Manta stored other bytes than it was sent; MantaSilentError when it does not say */
export function assertTaken(headers: BytesAnswer['headers'], md5: string, path: string): void {
  const computed = computedMd5(headers, path);
  if (computed === md5) return;
  throw new ObjectStoreUnavailableError(
    `Manta stored other bytes than it was sent under ${path} (md5 ${computed}, not ${md5})`,
  );
}

/** Of what Manta stored. @throws MantaSilentError */
export function computedMd5(headers: BytesAnswer['headers'], path: string): string {
  const computed = headers['computed-md5'];
  if (typeof computed === 'string') return computed;
  throw notMantas(`to bytes for ${path}`);
}

export function isSame(found: NameInfo | undefined, { size, md5 }: { size: number; md5: string }): boolean {
  return found?.type === 'object' && found.size === size && found.md5 === md5;
}

/** @param range as in the Range header */
export function getObject(
  manta: Manta,
  path: string,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<BytesAnswer> {
  return withRetries(
    manta.retries,
    async () => {
      const answer = await manta.bytes.send({ method: 'GET', path: encodePath(path), headers, signal });
      if (isTagged(answer.headers)) return answer;
      answer.body.destroy();
      throw notMantas(`to GET ${path}`);
    },
    signal,
  );
}

/** Each object has a tag, and what is none says so. */
function isTagged(headers: BytesAnswer['headers']): boolean {
  return headers.etag !== undefined || /type=directory/.test(headers['content-type'] ?? '');
}
