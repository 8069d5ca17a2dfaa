/**
 * Reads a JSON array item by item while it arrives: in memory that does not grow with its length, and no faster than
 * the items are taken.
 */
import { JsonError, parseJson } from '../text/json.ts';
import { invalidAnswer } from './answer.ts';
import type { HttpAnswer } from './transport.ts';

/** Bytes of one item and of the rest of its batch. */
const ITEM_LIMIT = 4 * 1024 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Yields batches of at least one item. A batch is as large as the piece of the answer that ends it, or as the largest
 * item. Stopping early breaks off the answer.
 * @throws ImgapiError `InvalidAnswer` if it is not a JSON array, possibly after some batches; ImgapiUnreachableError
 */
export async function* readJsonItems<T>(answer: HttpAnswer): AsyncGenerator<T[], void> {
  const cutter = new ArrayCutter();
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      const items = cutter.take(chunk);
      if (cutter.pending > ITEM_LIMIT) throw new JsonError(`an array with an item longer than ${ITEM_LIMIT} bytes`);
      if (items.length > 0) yield items as T[];
    }
    cutter.end();
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw invalidAnswer(answer, `it is ${cause.cause instanceof SyntaxError ? 'no JSON array' : cause.message}`, cause);
  } finally {
    answer.body.destroy();
  }
}

/**
 * Finds where the items of an array end, and leaves everything else to the parser. It throws JsonError for what cannot
 * be the rest of an array.
 */
class ArrayCutter {
  /** Bytes of items that are incomplete. */
  pending = 0;
  #pieces: Buffer[] = [];
  /** Bytes of the byte-order mark that have arrived; its full length if there is none. */
  #marked = 0;
  /** Arrays and objects that are open. */
  #depth = 1;
  #isInString = false;
  #isEscaped = false;
  #hasBegun = false;
  #hasEnded = false;
  /** A comma came last, so another item must follow. */
  #isItemDue = false;

  /** The items that end in this piece. */
  take(chunk: Buffer): unknown[] {
    const from = this.#hasBegun ? 0 : this.#begin(chunk);
    if (!this.#hasBegun) return [];
    if (this.#hasEnded) {
      assertBlank(chunk);
      return [];
    }
    const { comma, end } = this.#scan(chunk, from);
    if (end !== undefined) {
      assertBlank(chunk.subarray(end + 1));
      return this.#parse(chunk.subarray(from, end), true);
    }
    if (comma === undefined) {
      this.#keep(chunk.subarray(from));
      return [];
    }
    const items = this.#parse(chunk.subarray(from, comma), false);
    this.#keep(chunk.subarray(comma + 1));
    return items;
  }

  end(): void {
    if (!this.#hasEnded) throw new JsonError('a JSON array without its end');
  }

  /** Returns where the first item may begin. */
  #begin(chunk: Buffer): number {
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#marked < BYTE_ORDER_MARK.length && byte === BYTE_ORDER_MARK[this.#marked]) {
        this.#marked += 1;
        continue;
      }
      if (this.#marked === 0) this.#marked = BYTE_ORDER_MARK.length;
      if (isBlank(byte)) continue;
      if (byte !== OPEN_ARRAY || this.#marked < BYTE_ORDER_MARK.length) throw new JsonError('no JSON array');
      this.#hasBegun = true;
      return at + 1;
    }
    return chunk.length;
  }

  /** Finds the last comma between items, or the end of the array. */
  #scan(chunk: Buffer, from: number): { comma?: number; end?: number } {
    let comma: number | undefined;
    for (let at = from; at < chunk.length; ) {
      if (this.#isInString) {
        at = this.#skipString(chunk, at);
        continue;
      }
      const byte = chunk[at];
      if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.#depth += 1;
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          if (byte !== CLOSE_ARRAY) throw new JsonError('no JSON array');
          return { end: at };
        }
      } else if (byte === COMMA && this.#depth === 1) comma = at;
      at += 1;
    }
    return { ...(comma !== undefined && { comma }) };
  }

  /** Returns the position after the end of the string, or of the piece. */
  #skipString(chunk: Buffer, from: number): number {
    const start = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    const quote = chunk.indexOf(QUOTE, start);
    const end = quote < 0 ? chunk.length : quote;
    let first = end;
    while (first > start && chunk[first - 1] === BACKSLASH) first -= 1;
    const isNextEscaped = (end - first) % 2 === 1;
    if (quote < 0) this.#isEscaped = isNextEscaped;
    else this.#isInString = isNextEscaped;
    return quote < 0 ? chunk.length : quote + 1;
  }

  #parse(last: Buffer, isEnd: boolean): unknown[] {
    const items = parseJson(Buffer.concat([OPEN, ...this.#pieces, last, CLOSE])) as unknown[];
    this.#pieces = [];
    this.pending = 0;
    if (items.length === 0 && (this.#isItemDue || !isEnd)) throw new JsonError('a JSON array that lacks an item');
    this.#isItemDue = !isEnd;
    this.#hasEnded = isEnd;
    return items;
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.pending += piece.length;
  }
}

const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function assertBlank(rest: Buffer): void {
  if (!rest.every(isBlank)) throw new JsonError('a JSON array with something behind it');
}
