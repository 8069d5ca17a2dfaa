/** Hashes as a thread of Node would, one request after the other, on the threads that read files. */
import type { Hashes } from '../object-store.ts';
import { type Algorithm, encoded } from './algorithms.ts';
import { offsetOf } from './blocks.ts';
import type { Asked, Hasher, StreamListener } from './hasher.ts';
import type { Digest, StartDigest } from './openssl.ts';
import { type HashReply, type HashRequest, OWN_BLOCK } from './protocol.ts';

/** Blocks that one call hashes, where they follow each other: the next call begins only when the event loop comes to it. */
const MOST_AT_ONCE = 4;

type Update = HashRequest & { type: 'update' };
type Digests = readonly (readonly [Algorithm, Digest])[];

interface Served {
  readonly listener: StreamListener;
  readonly digests: Digests;
}

export class OpensslHasher implements Hasher {
  readonly #buffer: ArrayBufferLike;
  readonly #startDigest: StartDigest;
  readonly #streams = new Map<number, Served>();
  /** In order; digests alone are to be freed. */
  readonly #queue: (Asked | Digests)[] = [];
  #isWorking = false;
  #work = Promise.resolve();
  #isEnding = false;

  constructor(buffer: ArrayBufferLike, startDigest: StartDigest) {
    this.#buffer = buffer;
    this.#startDigest = startDigest;
  }

  get alive(): boolean {
    return !this.#isEnding;
  }

  get load(): number {
    return this.#streams.size;
  }

  start({ stream, algorithms }: HashRequest & { type: 'start' }, listener: StreamListener): void {
    const digests = algorithms.map((algorithm) => [algorithm, this.#startDigest(algorithm)] as const);
    this.#streams.set(stream, { listener, digests });
  }

  ask(request: Asked): void {
    this.#add(request.type === 'add' ? { ...request, bytes: new Uint8Array(request.bytes) } : request);
  }

  end(stream: number): void {
    const served = this.#streams.get(stream);
    if (!served) return;
    this.#streams.delete(stream);
    // They may be in use now.
    this.#add(served.digests);
  }

  async terminate(): Promise<void> {
    this.#isEnding = true;
    for (const [stream, { listener }] of [...this.#streams]) {
      this.end(stream);
      listener.onFailure(new Error('the hashes are not computed any more'));
    }
    await this.#work;
  }

  #add(work: Asked | Digests): void {
    this.#queue.push(work);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#work = this.#workOff();
  }

  async #workOff(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if ('type' in next) await this.#serve(next);
      else for (const [, digest] of next) digest.free();
    }
    this.#isWorking = false;
  }

  /** Never rejects. */
  async #serve(asked: Asked): Promise<void> {
    const { stream } = asked;
    const served = this.#streams.get(stream);
    // Nobody waits for what was asked of a stream that ended.
    if (!served) return;
    try {
      for (const reply of await this.#answers(asked, served.digests)) {
        if (this.#streams.get(stream) === served) served.listener.onReply(reply);
      }
    } catch (error) {
      this.end(stream);
      served.listener.onFailure(error as Error);
    }
  }

  async #answers(asked: Asked, digests: Digests): Promise<HashReply[]> {
    const { stream } = asked;
    switch (asked.type) {
      case 'digest': {
        const values = digests.map(([algorithm, digest]) => [algorithm, encoded(algorithm, digest.value())]);
        return [{ type: 'digest', stream, hashes: Object.fromEntries(values) as Partial<Hashes> }];
      }
      case 'add':
        await update(digests, asked.bytes);
        return [{ type: 'hashed', stream, block: OWN_BLOCK }];
      case 'update': {
        const all = this.#withNext(asked);
        const length = all.reduce((sum, each) => sum + each.length, 0);
        await update(digests, new Uint8Array(this.#buffer, offsetOf(asked.block), length));
        return all.map(({ block }) => ({ type: 'hashed', stream, block }));
      }
    }
  }

  /** Those that follow at once, in the queue and in memory, are taken from the queue. */
  #withNext(first: Update): Update[] {
    const all = [first];
    for (let end = offsetOf(first.block) + first.length; all.length < MOST_AT_ONCE; ) {
      const [next] = this.#queue;
      if (!next || !('type' in next) || next.type !== 'update' || next.stream !== first.stream) break;
      if (offsetOf(next.block) !== end) break;
      this.#queue.shift();
      all.push(next);
      end += next.length;
    }
    return all;
  }
}

async function update(digests: Digests, bytes: Uint8Array): Promise<void> {
  for (const [, digest] of digests) await digest.update(bytes);
}
