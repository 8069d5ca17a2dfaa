import type { BlockPool } from '../block-pool.ts';
import { SessionGoneError, TooLargeError } from '../errors.ts';
import type { S3Calls } from './calls.ts';
import { isMissing } from './s3-error.ts';
import { MOST_PARTS } from './settings.ts';
import { type Part, type UploadId, uploadPart } from './uploads.ts';

/** Parts of one session on their way at once. Measured: a fifth gains nothing. */
const AT_ONCE = 4;

interface Sending {
  readonly number: number;
  readonly length: number;
  /** Kept until the part has arrived, for another attempt. */
  readonly block: Uint8Array;
  /** Never rejects. */
  sent: Promise<void>;
  failure: unknown;
}

export interface PartsOptions {
  readonly session: string;
  readonly calls: S3Calls;
  readonly pool: BlockPool;
  /** Called for the first part, and again if it failed. */
  readonly begin: () => Promise<UploadId>;
}

/** The parts of one session's upload: several at once are on their way, and one that failed can be sent again. */
export class Parts {
  readonly #options: PartsOptions;
  readonly #arrived: Part[] = [];
  readonly #sending = new Set<Sending>();
  #upload: Promise<UploadId> | undefined;
  readonly #canceled = new AbortController();
  #count = 0;
  #size = 0;

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  /** Bytes of all parts. */
  get size(): number {
    return this.#size;
  }

  /** Begins the upload if it has not begun. */
  upload(): Promise<UploadId> {
    this.#upload ??= this.#options.begin().catch((error: unknown) => {
      this.#upload = undefined;
      throw error;
    });
    return this.#upload;
  }

  /** Takes a block with its first `length` bytes, and waits while too many are on their way. */
  async add(block: Uint8Array, length: number): Promise<void> {
    this.#count += 1;
    this.#size += length;
    const sending: Sending = { number: this.#count, length, block, sent: Promise.resolve(), failure: undefined };
    this.#sending.add(sending);
    this.#send(sending);
    await this.#untilFewer(AT_ONCE);
  }

  /** Sends again what failed. */
  retry(): void {
    for (const sending of this.#sending) {
      if (sending.failure !== undefined) this.#send(sending);
    }
  }

  /** Sends again what failed, and waits until all parts have arrived; they are in order. */
  async settle(): Promise<readonly Part[]> {
    this.retry();
    await this.#untilFewer(1);
    return this.#arrived.sort((a, b) => a.number - b.number);
  }

  /** Ends what is on its way. */
  cancel(): void {
    this.#canceled.abort();
  }

  /** Ends what is on its way, and gives all memory back. */
  async end(): Promise<void> {
    this.cancel();
    await Promise.all([...this.#sending].map(({ sent }) => sent));
    for (const { block } of this.#sending) this.#options.pool.give(block);
    this.#sending.clear();
  }

  #send(sending: Sending): void {
    sending.failure = undefined;
    sending.sent = this.#sendPart(sending).catch((error: unknown) => {
      sending.failure = isMissing(error) ? new SessionGoneError(this.#options.session, { cause: error }) : error;
    });
  }

  async #sendPart(sending: Sending): Promise<void> {
    const { calls, pool } = this.#options;
    const { number, length, block } = sending;
    if (number > MOST_PARTS) throw new TooLargeError(this.#size - length);
    const { signal } = this.#canceled;
    this.#arrived.push(await uploadPart(calls, await this.upload(), number, block.subarray(0, length), { signal }));
    this.#sending.delete(sending);
    pool.give(block);
  }

  /** @throws the failure of a part */
  async #untilFewer(most: number): Promise<void> {
    for (;;) {
      const sending = [...this.#sending];
      const failed = sending.find(({ failure }) => failure !== undefined);
      if (failed) throw failed.failure;
      if (sending.length < most) return;
      await Promise.race(sending.map(({ sent }) => sent));
    }
  }
}
