/**
 * The bytes of files. Each is made again from its seed whenever it is sent, so that nobody has to keep it. One in ten
 * is so large that it is copied in pieces, half of these so large that its MD5 comes late, and some are bytes that another
 * file had before.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { MiB } from '../helpers/cloud.ts';
import type { Random } from '../helpers/random.ts';

export interface Content {
  readonly seed: number;
  readonly size: number;
  readonly sha1: string;
  readonly isLarge: boolean;
  /** That an earlier file had these bytes. */
  readonly isAgain: boolean;
}

const LARGEST_SMALL = 300_000;
/** Above four pieces of 8 MiB a copy comes in pieces; from 64 MiB on the MD5 is late. */
const LARGE = { least: 33 * MiB, late: 64 * MiB, most: 70 * MiB };
/** Of all processes, at most: images whose files are large, with their copies. */
const MOST_LARGE = 8;
/** Whose bytes may come again. */
const REMEMBERED = 12;
/** Of the cipher that makes them. */
const BLOCK = 16;
const ZEROS = Buffer.alloc(MiB / 4);

export class Contents {
  /** The newest ones. */
  readonly #earlier = { large: [] as Content[], small: [] as Content[] };
  readonly #large = new Set<string>();

  /** @param large how many images there may be now whose files are large */
  async next(random: Random, large: number): Promise<Content> {
    const isLarge = random.chance(0.1) && large < MOST_LARGE;
    const earlier = this.#earlier[isLarge ? 'large' : 'small'];
    if (random.chance(isLarge ? 0.4 : 0.1) && earlier.length > 0) return { ...random.pick(earlier), isAgain: true };
    const [seed, size] = [random.below(2 ** 32), isLarge ? largeSize(random) : 1000 + random.below(LARGEST_SMALL)];
    const content = { seed, size, sha1: await sha1Of(seed, size), isLarge, isAgain: false };
    if (isLarge) this.#large.add(content.sha1);
    earlier.push(content);
    if (earlier.length > REMEMBERED) earlier.shift();
    return content;
  }

  isLarge(sha1: string | undefined): boolean {
    return sha1 !== undefined && this.#large.has(sha1);
  }
}

/** The bytes, or some of them. */
export function streamOf({ seed, size: whole }: Content, start = 0, size = whole): Readable {
  return Readable.from(partsOf(seed, size, start));
}

function largeSize(random: Random): number {
  const { least, late, most } = LARGE;
  return random.chance(0.5) ? least + random.below(late - least) : late + random.below(most - late);
}

async function* partsOf(seed: number, size: number, start = 0): AsyncGenerator<Buffer> {
  const counter = Buffer.alloc(BLOCK);
  counter.writeBigUInt64BE(BigInt(Math.floor(start / BLOCK)), BLOCK / 2);
  const cipher = createCipheriv('aes-128-ctr', keyOf(seed), counter);
  cipher.update(ZEROS.subarray(0, start % BLOCK));
  for (let left = size; left > 0; left -= ZEROS.length) {
    yield cipher.update(ZEROS.subarray(0, left));
    // All clients are in this process.
    await setImmediate();
  }
}

function keyOf(seed: number): Buffer {
  return createHash('sha256').update(String(seed)).digest().subarray(0, 16);
}

async function sha1Of(seed: number, size: number): Promise<string> {
  const hash = createHash('sha1');
  for await (const part of partsOf(seed, size)) hash.update(part);
  return hash.digest('hex');
}
