/**
 * Brings a file as pieces over several connections. A line so fast that the processors are the limit has nothing to gain from
 * that, and pieces cost: they are hashed by themselves, and read again for the hashes of the whole. So once such a line is
 * seen the rest comes as one stream, until it is slow again. If the whole then has a wrong hash, its pieces are looked at, and
 * only those that are wrong are fetched again.
 */
import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import type { PieceSession } from '#lib/objects/object-store.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { Connections } from './connections.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { PieceBoard } from './piece-board.ts';
import type { PieceHashes } from './piece-hashes.ts';
import { bringPieces, MEASURE_MS } from './receive-pieces.ts';
import { receiveStream } from './receive-stream.ts';
import type { Suppliers } from './suppliers.ts';
import { verifiedHashes } from './verified-hashes.ts';

/** The part of `copies.oneStreamRate` that a stream may fall to. */
const SLOW = 1 / 4;
/** Milliseconds over which the rate of a stream is measured. */
const SLOW_MS = 1000;

export interface ReceivedFileOptions {
  readonly service: Service;
  readonly source: ImageSource;
  readonly live: LiveAttempt;
  readonly session: PieceSession;
  readonly hashes: PieceHashes;
  readonly suppliers: Suppliers;
}

export class ReceivedFile {
  readonly #options: ReceivedFileOptions;
  #connections: Connections | undefined;
  /** The pieces that are being brought; kept when they break off. */
  #board: PieceBoard | undefined;
  #isStreaming = false;
  /** Whether bytes are here that no piece was verified by. */
  #hasStreamed = false;
  #mayStream = true;

  constructor(options: ReceivedFileOptions) {
    this.#options = options;
  }

  /** @throws NoPiecesError if the rest has to be fetched as one stream; what was staged before a failure stays */
  async receive(signal: AbortSignal): Promise<void> {
    const { service, live, session } = this.#options;
    this.#connections = new Connections(service.config);
    try {
      while (session.size < live.own.total || !(await this.#isRight())) {
        if (this.#isStreaming) await this.#stream(signal);
        else await this.#bring(this.#connections, signal);
      }
    } finally {
      this.#connections.end();
    }
  }

  async #bring(connections: Connections, signal: AbortSignal): Promise<void> {
    const { service, live, session, hashes, suppliers } = this.#options;
    const { total } = live.own;
    const began = performance.now();
    // What was measured before a stream says nothing of a line that has become slow since.
    if (!this.#board) connections.forgetLatest();
    const isOver = (bytes: number): boolean => this.#isFast((bytes * 1000) / (performance.now() - began));
    this.#board ??= new PieceBoard({ session, hashes, total, isOver });
    await bringPieces({ service, live, board: this.#board, suppliers, connections }, signal);
    this.#board = undefined;
    this.#isStreaming = session.size < total;
  }

  /** @param average bytes per second since pieces come */
  #isFast(average: number): boolean {
    const { service, suppliers } = this.#options;
    const { oneStreamRate } = service.config.copies;
    const rate = Math.max(average, ((this.#connections?.latest ?? 0) * 1000) / MEASURE_MS);
    // Where several datacenters have the image, the copy is to go on when one of them dies.
    return this.#mayStream && suppliers.isOne && oneStreamRate > 0 && rate >= oneStreamRate;
  }

  /** Up to the end, or to that of a piece once the line is slow. */
  async #stream(signal: AbortSignal): Promise<void> {
    const { service, source, live, session } = this.#options;
    const line = new Line(session.size, service.config.copies.oneStreamRate * SLOW);
    const restFrom = (at: number): number | undefined => (line.isSlow(at) ? endOfPiece(at, live.own.total) : undefined);
    this.#hasStreamed = true;
    try {
      await receiveStream(service, source, live, { session, hasGaps: true, restFrom }, signal);
    } finally {
      // Pieces begin where one begins: a stream that broke off amid one goes on.
      this.#isStreaming = session.size < endOfPiece(session.size, live.own.total);
    }
  }

  async #isRight(): Promise<boolean> {
    if (!this.#hasStreamed) return true;
    const { service, live, session } = this.#options;
    try {
      await verifiedHashes(live.own, session);
      return true;
    } catch (error) {
      if (failureOf(error).code !== 'WrongBytes') throw error;
      const { image } = live.own;
      service.log.warn({ err: error, image }, 'the file came with wrong bytes; its pieces are looked at');
    }
    this.#hasStreamed = false;
    this.#isStreaming = false;
    this.#mayStream = false;
    await session.lookAgain();
    return false;
  }
}

/** Whether bytes come more slowly than they should, over some time. */
class Line {
  readonly #least: number;
  #since = performance.now();
  #from: number;

  /** @param least bytes per second */
  constructor(from: number, least: number) {
    this.#from = from;
    this.#least = least;
  }

  isSlow(at: number): boolean {
    const ms = performance.now() - this.#since;
    if (ms < SLOW_MS) return false;
    const isSlow = ((at - this.#from) * 1000) / ms < this.#least;
    this.#since = performance.now();
    this.#from = at;
    return isSlow;
  }
}

function endOfPiece(at: number, total: number): number {
  return Math.min(total, Math.ceil(at / PIECE_BYTES) * PIECE_BYTES);
}
