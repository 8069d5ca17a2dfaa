/**
 * For a Manta with snaplinks: the bytes flow into one object as they come, and the commit gives it its name, so they pass
 * through us only once. Nothing can be sent again, so bytes are lost with the connection they were on.
 */
import { startInterval, type Timer } from '../../runtime/timers.ts';
import { ObjectStoreUnavailableError, SessionGoneError } from '../errors.ts';
import { HashFeed } from '../hashing/feed.ts';
import type { BytesAnswer } from './bytes.ts';
import { explainManta, MantaSilentError } from './failure.ts';
import { encodePath } from './layout.ts';
import { assertTaken, computedMd5 } from './manta.ts';
import { joinPieces, linkPiece } from './piece-staging.ts';
import { noteStaged } from './progress.ts';
import type { Staging, StagingOptions } from './staging.ts';

/** Milliseconds. Manta gives an upload up after 45 s without data, so before that its object is ended, and another begun. */
const LONGEST_SILENCE = 15_000;
/** Bytes of one object; more come in another one. Manta finds storage nodes that have room for so much. */
const LARGEST = 20 * 1024 * 1024 * 1024;

export class StreamStaging implements Staging {
  readonly #options: StagingOptions;
  readonly #feed: HashFeed;
  readonly #timer: Timer;
  #flow: Flow | undefined;
  #ending: Promise<void> = Promise.resolve();
  #size = 0;
  #objects = 0;
  /** What Manta says of the object that was sent last; base64. */
  #computed: string | undefined;
  #failure: unknown;
  #isGone = false;

  constructor(options: StagingOptions) {
    this.#options = options;
    this.#feed = new HashFeed(options.hash);
    this.#timer = startInterval(() => {
      if (this.#flow && this.#flow.silence > LONGEST_SILENCE) this.#endFlow();
    }, LONGEST_SILENCE / 3).unref();
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
    } finally {
      this.#feed.flush();
    }
    this.#assertWhole();
  }

  async flush(): Promise<void> {
    this.#endFlow();
    await this.#ending;
    this.#assertWhole();
  }

  async place(md5: string): Promise<void> {
    await this.flush();
    if (this.#isGone) throw new SessionGoneError(this.#options.session);
    const isOne = this.#objects === 1 && this.#options.manta.features.snaplinks;
    // Its md5 was not known when it was sent, so Manta has not compared it.
    if (isOne) assertTaken({ 'computed-md5': this.#computed }, md5, this.#options.target);
    if (!isOne || !(await linkPiece(this.#options, this.#size, md5))) await joinPieces(this.#options, this.#size, md5);
  }

  async end(): Promise<void> {
    this.#timer.stop();
    this.#flow?.abort();
    await this.#ending;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    // First: while it waits, the timer may end the flow that the bytes would have gone to.
    await this.#feed.write(bytes);
    this.#assertWhole();
    if (this.#flow && this.#flow.size + bytes.length > LARGEST) this.#endFlow();
    if (this.#flow === undefined) {
      await this.#ending;
      this.#assertWhole();
      this.#flow = new Flow(this.#options, this.#size);
    }
    await this.#flow.write(bytes).catch((error: unknown) => this.#fail(error));
    this.#assertWhole();
    this.#size += bytes.length;
  }

  #endFlow(): void {
    const flow = this.#flow;
    if (flow === undefined) return;
    this.#flow = undefined;
    this.#objects += 1;
    this.#ending = flow.end().then(
      ({ isKnown, computed }) => {
        this.#computed = computed;
        this.#isGone ||= !isKnown;
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= explainManta(error, 0);
    this.#flow?.abort();
    this.#flow = undefined;
  }

  #assertWhole(): void {
    if (this.#failure === undefined) return;
    if (!(this.#failure instanceof ObjectStoreUnavailableError)) throw this.#failure;
    throw new ObjectStoreUnavailableError(`bytes of the session are lost: ${this.#failure.message}`, {
      cause: this.#failure,
    });
  }
}

interface Handed {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/** One object that is being sent. */
class Flow {
  readonly #options: StagingOptions;
  readonly #path: string;
  readonly #start: number;
  readonly #abort = new AbortController();
  readonly #sent: Promise<BytesAnswer>;
  #failure: { readonly error: unknown } | undefined;
  #handed: Handed | undefined;
  #wake: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;
  #isOver = false;
  #size = 0;
  #at = performance.now();

  constructor(options: StagingOptions, start: number) {
    const { manta, session } = options;
    this.#options = options;
    this.#start = start;
    this.#path = manta.layout.piece(session, start);
    const asked = {
      method: 'PUT',
      path: encodePath(this.#path),
      headers: {
        'content-type': 'application/octet-stream',
        'durability-level': manta.copies,
        'max-content-length': LARGEST,
        'transfer-encoding': 'chunked',
      },
      signal: this.#abort.signal,
    } as const;
    // A refusal comes before any byte is asked for, so the same bytes can be offered again.
    this.#sent = manta.directories.placing(this.#path, () =>
      manta.bytes.sendBriefly({ ...asked, body: this.#bytes() }),
    );
    this.#sent.then(
      () => {
        if (!this.#isOver) this.#fail(new MantaSilentError('Manta answered before it had all bytes'));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  get size(): number {
    return this.#size;
  }

  /** Milliseconds since bytes came. */
  get silence(): number {
    return performance.now() - this.#at;
  }

  /** Resolves when the bytes may be used again. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#assertSent();
    await new Promise<void>((resolve) => {
      this.#wakeWriter = resolve;
      this.#handed = { bytes, taken: resolve };
      this.#wake();
    });
    this.#assertSent();
    this.#size += bytes.length;
    this.#at = performance.now();
  }

  /** Its md5, and whether the session is known still: it may have been discarded. */
  async end(): Promise<{ readonly isKnown: boolean; readonly computed: string }> {
    const { manta, session } = this.#options;
    this.#isOver = true;
    this.#wake();
    const { headers } = await this.#sent;
    const computed = computedMd5(headers, this.#path);
    return { isKnown: await noteStaged(manta, session, this.#path, this.#start + this.#size), computed };
  }

  abort(): void {
    this.#abort.abort(new Error('the upload was ended'));
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#wakeWriter();
  }

  #assertSent(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const handed = this.#handed;
      this.#handed = undefined;
      if (handed) {
        yield handed.bytes;
        handed.taken();
      } else if (this.#isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
