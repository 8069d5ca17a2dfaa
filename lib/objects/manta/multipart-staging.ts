/**
 * Manta's own multipart upload, which makes the object without the bytes passing through us again. Its parts cannot be
 * read, so it is for sessions that nobody takes over. What fits in one part is put in its place directly.
 */
import { createHash } from 'node:crypto';
import { HashingError, ObjectStoreUnavailableError, SessionGoneError } from '../errors.ts';
import { HashFeed } from '../hashing/feed.ts';
import { parentOf } from './directories.ts';
import { explainManta, hasMantaCode, notMantas } from './failure.ts';
import { PLACING_TIMEOUT } from './fencing.ts';
import { encodePath } from './layout.ts';
import { assertTaken, putObject, type SessionState } from './manta.ts';
import { noteSize } from './progress.ts';
import { withRetries } from './retry.ts';
import { abortUpload } from './staged.ts';
import type { Staging, StagingOptions } from './staging.ts';

/** Manta takes so many parts; the last is left for bytes that were not announced. */
const MOST_PARTS = 799;
const STEP = 1024 * 1024;
const LEAST_PART = 8 * STEP;

type Upload = NonNullable<SessionState['upload']>;

/** For that many bytes in all. */
function partSizeFor(expect: number): number {
  return Math.max(LEAST_PART, Math.ceil(expect / MOST_PARTS / STEP) * STEP);
}

/** Parts in memory: one fills while another is sent. */
export function partMemoryFor(expect: number): number {
  return 2 * partSizeFor(expect);
}

function isAborted(error: unknown): boolean {
  return hasMantaCode(error, 'InvalidMultipartUploadState');
}

export class MultipartStaging implements Staging {
  readonly #options: StagingOptions;
  readonly #partSize: number;
  readonly #feed: HashFeed;
  readonly #etags: string[] = [];
  #upload: Upload | undefined;
  #part: Buffer | undefined;
  #filled = 0;
  #size = 0;
  #sending: Promise<void> = Promise.resolve();
  #failure: unknown;
  #isGone = false;
  #isEnded = false;

  constructor(options: StagingOptions, expect: number) {
    this.#options = options;
    this.#partSize = partSizeFor(expect);
    this.#feed = new HashFeed(options.hash);
  }

  get size(): number {
    return this.#size;
  }

  async append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void): Promise<void> {
    try {
      for await (const piece of source) {
        await this.#write(piece);
        onProgress?.(this.#size);
      }
      await this.#sending;
      this.#assertWhole();
    } finally {
      this.#feed.flush();
    }
  }

  /** An append ends when its full parts are there; what fills none has to wait. */
  async flush(): Promise<void> {}

  async place(md5: string): Promise<void> {
    const { session } = this.#options;
    await this.#sending;
    this.#assertWhole();
    if (this.#upload === undefined && !this.#isGone) return this.#putDirectly(md5);
    await this.#sendLast();
    if (this.#upload === undefined || this.#isGone) throw new SessionGoneError(session);
    await this.#commit(this.#upload, md5);
  }

  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#sending;
    this.#part = undefined;
    this.#options.manta.partMemory.give(2 * this.#partSize);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      this.#assertWhole();
      // A full part is sent when more comes: the first and only one needs no upload.
      if (this.#filled === this.#partSize) await this.#submit();
      this.#part ??= Buffer.allocUnsafeSlow(this.#partSize);
      const taken = rest.subarray(0, this.#partSize - this.#filled);
      this.#part.set(taken, this.#filled);
      await this.#feed.write(taken);
      this.#filled += taken.length;
      this.#size += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  /** Sends what is gathered, once the part before it is there. */
  async #submit(): Promise<void> {
    await this.#sending;
    this.#assertWhole();
    const part = this.#part?.subarray(0, this.#filled);
    if (part === undefined || part.length === 0) return;
    const size = this.#size;
    this.#part = undefined;
    this.#filled = 0;
    this.#sending = this.#send(part, size).catch((error: unknown) => {
      if (isAborted(error) || error instanceof SessionGoneError) this.#isGone = true;
      else this.#failure = explainManta(error, part.length);
    });
  }

  /** It is kept until it is there, so that a commit can be made again. */
  async #sendLast(): Promise<void> {
    if (this.#part === undefined) return;
    try {
      await this.#send(this.#part.subarray(0, this.#filled), this.#size);
    } catch (error) {
      throw isAborted(error) ? new SessionGoneError(this.#options.session, { cause: error }) : error;
    }
    this.#part = undefined;
    this.#filled = 0;
  }

  async #send(part: Buffer, size: number): Promise<void> {
    if (this.#isGone) return;
    const { manta, session } = this.#options;
    this.#upload ??= await this.#begin();
    const path = encodePath(`${this.#upload.directory}/${this.#etags.length}`);
    const md5 = createHash('md5').update(part).digest('base64');
    const { headers } = await withRetries(manta.retries, () =>
      manta.bytes.sendBriefly({ method: 'PUT', path, headers: { 'content-md5': md5 }, body: part }),
    );
    assertTaken(headers, md5, path);
    this.#etags.push(headers.etag ?? '');
    this.#isGone = !(await noteSize(manta, session, size));
  }

  async #begin(): Promise<Upload> {
    const { manta, session, target } = this.#options;
    const { user } = manta;
    const body = Buffer.from(
      JSON.stringify({
        objectPath: target,
        headers: { 'content-type': 'application/octet-stream', 'durability-level': manta.copies },
      }),
    );
    const headers = { 'content-type': 'application/json' };
    const path = encodePath(`/${user}/uploads`);
    // Made once: an answer that is lost would leave an upload that nobody knows.
    const made = await manta.bytes.sendForJson({ method: 'POST', path, headers, body });
    const { id, partsDirectory: directory } = (made ?? {}) as { id?: string; partsDirectory?: string };
    if (!id || !directory) throw notMantas('to a new multipart upload');
    const upload = { id, directory };
    try {
      await manta.register.update(session, ({ state }) => {
        if (state.gone) throw new SessionGoneError(session);
        return { state: { ...state, upload } };
      });
    } catch (error) {
      // Whoever discarded the session has not seen this upload.
      await abortUpload(manta, { upload });
      throw error;
    }
    return upload;
  }

  async #putDirectly(md5: string): Promise<void> {
    const { manta, target, placing } = this.#options;
    const whole = this.#part?.subarray(0, this.#filled) ?? Buffer.alloc(0);
    const timeout = Math.min(PLACING_TIMEOUT, manta.timeout);
    const attempt = (send: () => Promise<void>) => placing.attempt(send);
    await putObject(manta, { path: target, body: () => whole, size: whole.length, md5, timeout, attempt });
  }

  /** Another commit with the same parts is answered in the same way, so a lost answer is asked for again. */
  async #commit({ directory }: Upload, md5: string): Promise<void> {
    const { manta, session, target, placing } = this.#options;
    const timeout = Math.min(PLACING_TIMEOUT, manta.timeout);
    const body = Buffer.from(JSON.stringify({ parts: this.#etags }));
    const asked = {
      method: 'POST',
      path: encodePath(`${directory}/commit`),
      headers: { 'content-type': 'application/json' },
      body,
      timeout,
    } as const;
    try {
      await withRetries(manta.retries, async () => {
        await manta.directories.make(parentOf(target));
        await placing.attempt(async () => {
          const { headers } = await manta.directories.placing(target, () => manta.bytes.sendBriefly(asked));
          assertTaken(headers, md5, target);
        });
      });
    } catch (error) {
      throw isAborted(error) ? new SessionGoneError(session, { cause: error }) : error;
    }
  }

  #assertWhole(): void {
    if (this.#failure === undefined) return;
    if (this.#failure instanceof HashingError) throw this.#failure;
    const { message } = this.#failure as Error;
    throw new ObjectStoreUnavailableError(`bytes of the session are lost: ${message}`, { cause: this.#failure });
  }
}
