/**
 * The hashes of a file's pieces, as the source tells them. They decide only which bytes are fetched again at once: what is
 * placed is verified by the hashes of the whole file, whatever a source says of its pieces. Only while the ordered source cannot
 * tell them, the other datacenters that have the image are believed so far, if all that answer say the same.
 */
import { isDeepStrictEqual } from 'node:util';
import { PIECE_BYTES, PIECES_A_PAGE } from '#lib/api/schemas/link.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CopyError, FAILURES } from '../documents/failures.ts';
import type { Holders } from './holders.ts';
import type { LiveAttempt } from './live-attempt.ts';

/** Milliseconds to wait before a page is asked for again. */
const PAUSES_MS = [250, 1000, 2000];

/**
 * How often in a row the hashes may be untold while the source answers otherwise: then it does not tell them, though its file can
 * be had.
 */
const MOST_UNTOLD = 3;

/** The source has no hashes of its pieces, or never tells them. Not a failure: the file can be fetched as one stream. */
export class NoPiecesError extends Error {
  override readonly name = 'NoPiecesError';
}

/** Nobody tells the hashes at the moment; what is staged waits for them. It fails as what the source was asked for did. */
export class UntoldError extends Error {
  override readonly name = 'UntoldError';

  constructor(cause: unknown) {
    super(failureOf(cause).message, { cause });
  }
}

interface Told {
  readonly source: ImageSource;
  readonly holders: Holders;
}

export class PieceHashes {
  readonly #source: ImageSource;
  readonly #holders: Holders;
  readonly #live: LiveAttempt;
  readonly #pages = new Map<number, Promise<readonly string[]>>();

  private constructor({ source, holders }: Told, live: LiveAttempt) {
    this.#source = source;
    this.#holders = holders;
    this.#live = live;
  }

  /**
   * Undefined if the source has no hashes of pieces: it is older, or never tells them.
   * @throws UntoldError; what else the source answers; CopyError SourceInvalid, SourceChanged
   */
  static async of(told: Told, live: LiveAttempt): Promise<PieceHashes | undefined> {
    const hashes = new PieceHashes(told, live);
    try {
      await hashes.#page(0);
      void hashes.#fetchAhead();
      return hashes;
    } catch (error) {
      live.signal.throwIfAborted();
      if (error instanceof NoPiecesError) return undefined;
      throw error;
    }
  }

  /**
   * In lower-case hex. Asks for what comes next as well.
   * @throws NoPiecesError; UntoldError; what else the source answers; CopyError SourceInvalid, SourceChanged; the signal's reason
   */
  async at(piece: number): Promise<string> {
    const page = Math.floor(piece / PIECES_A_PAGE);
    if ((page + 1) * PIECES_A_PAGE * PIECE_BYTES < this.#live.own.total) this.#page(page + 1).catch(() => undefined);
    const hash = (await this.#page(page))[piece % PIECES_A_PAGE];
    if (hash === undefined) throw new RangeError(`there is no piece ${piece}`);
    return hash;
  }

  /** Where others could go on without the ordered source, what only it should be asked for is asked for early. */
  async #fetchAhead(): Promise<void> {
    if ((await this.#holders.found()).length === 0) return;
    const pages = Math.ceil(this.#live.own.total / (PIECES_A_PAGE * PIECE_BYTES));
    try {
      for (let page = 1; page < pages; page += 1) await this.#page(page);
    } catch {
      // Whoever needs the page learns why it is not there.
    }
  }

  #page(page: number): Promise<readonly string[]> {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const asked = this.#ask(page);
    this.#pages.set(page, asked);
    // It is asked for again as soon as somebody needs it.
    asked.catch(() => this.#pages.delete(page));
    return asked;
  }

  async #ask(page: number): Promise<readonly string[]> {
    try {
      return await this.#askSource(page);
    } catch (error) {
      const { signal } = this.#live;
      signal.throwIfAborted();
      if (FAILURES[failureOf(error).code].action !== 'retry' || error instanceof NoPiecesError) throw error;
      const holders = await this.#holders.found();
      const limited = this.#live.patience(signal);
      const told = await Promise.all(
        holders.map((holder) => this.#fetch(holder, page, limited).catch(() => undefined)),
      );
      signal.throwIfAborted();
      const [list, ...others] = told.filter((answer) => answer !== undefined);
      // If one of them lies, nobody knows which.
      if (list && others.every((other) => isDeepStrictEqual(other, list))) return list;
      await this.#countIfShown(error);
      throw new UntoldError(error);
    }
  }

  /** A source that cannot be reached at all has said nothing of its pieces. @throws NoPiecesError */
  async #countIfShown(error: unknown): Promise<void> {
    const { own, signal } = this.#live;
    const isShown = await this.#source.getImage(own.image, own.account, this.#live.patience(signal)).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (!isShown) return;
    const { untold = 0, ...retry } = this.#live.retry;
    if (untold + 1 < MOST_UNTOLD) return this.#live.note({ retry: { ...retry, untold: untold + 1 } });
    this.#live.note({ retry: { ...retry, no_pieces: true } });
    throw new NoPiecesError(`${this.#source.name} does not tell the hashes of pieces`, { cause: error });
  }

  async #askSource(page: number): Promise<readonly string[]> {
    // For all attempts together: a list that drips would keep the place of a copy for each of them.
    const signal = this.#live.patience(this.#live.signal);
    for (const wait of [...PAUSES_MS, undefined]) {
      try {
        return await this.#fetch(this.#source, page, signal);
      } catch (error) {
        signal.throwIfAborted();
        const { action } = FAILURES[failureOf(error).code];
        if (action === 'permanent' || error instanceof NoPiecesError) throw error;
        if (action !== 'retry') {
          throw new NoPiecesError(`${this.#source.name} does not tell the hashes of pieces`, { cause: error });
        }
        if (wait === undefined) throw error;
        await pause(wait, signal);
      }
    }
    throw new NoPiecesError('no page');
  }

  async #fetch(source: ImageSource, page: number, signal: AbortSignal): Promise<readonly string[]> {
    const { image, account, sha1, total } = this.#live.own;
    const { name } = source;
    const list = await source.getPieces(image, { account, page, signal });
    if (list?.piece_bytes !== PIECE_BYTES) throw new NoPiecesError(`${name} has no pieces of our size`);
    if (list.sha1 !== sha1) throw new CopyError('SourceChanged', `image "${image}" now has another file in "${name}"`);
    const expected = Math.min(PIECES_A_PAGE, Math.ceil(total / PIECE_BYTES) - page * PIECES_A_PAGE);
    if (list.sha256.length === expected) return list.sha256;
    const message = `${name} tells ${list.sha256.length} hashes of pieces on page ${page} of image "${image}", not ${expected}`;
    throw new CopyError('SourceInvalid', message);
  }
}
