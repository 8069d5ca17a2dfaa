/**
 * Clients that make, change, share and delete images without a pause, and remember what the server has acknowledged. What
 * becomes of a request without an answer is open: both the state before and the one after it are right then.
 */

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { ALICE, BOB } from './accounts.ts';
import { MANIFEST, sha1Of } from './images.ts';

/** An image as far as this is about it; undefined: there is none. */
type State = { readonly description: string; readonly sha1: string; readonly state: string; readonly acl: number };

/** What may happen to a request while something is down. */
export interface Trouble {
  /** Answers of 503 that say when to come back. */
  readonly refused: number;
  /** Connections that broke before an answer came. */
  readonly lost: number;
}

const BYTES = 50_000;
const PAUSE_MS = 50;

export class Workload {
  /** By UUID, the states in which the image may be. */
  readonly #images = new Map<string, readonly (State | undefined)[]>();
  readonly #client: ImgapiClient;
  readonly #running: Promise<unknown>;
  /** What may not happen at all. */
  readonly unexpected: string[] = [];
  /** Requests that were answered as they should be. */
  good = 0;
  refused = 0;
  lost = 0;
  /** Milliseconds that the longest request took. */
  longest = 0;
  #isOver = false;

  /** @param clients how many work at a time */
  constructor(url: string, clients = 2) {
    this.#client = new ImgapiClient({ url, account: ALICE });
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#work()));
  }

  get trouble(): Trouble {
    return { refused: this.refused, lost: this.lost };
  }

  /** Resolves when the requests under way are done. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await this.#client.destroy();
  }

  /** What is not as it was acknowledged. */
  async lies(client: ImgapiClient): Promise<string[]> {
    const found: string[] = [];
    for (const [uuid, possible] of this.#images) {
      const state = await stateOf(client, uuid);
      const isPossible = possible.some((one) => JSON.stringify(one) === JSON.stringify(state));
      if (!isPossible) found.push(`${uuid} is ${JSON.stringify(state)}, not ${JSON.stringify(possible)}`);
    }
    return found;
  }

  async #work(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      const isThrough = await this.#life(turn % 3 === 2);
      if (!isThrough) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** One image; resolves to false when a request failed, and leaves the image then. */
  async #life(isDeleted: boolean): Promise<boolean> {
    const client = this.#client;
    const made = await this.#ask(() => client.createImage({ ...MANIFEST, description: '0' }));
    if (!made) return false;
    const { uuid } = made;
    const bytes = randomBytes(BYTES);
    let state: State = { description: '0', sha1: '', state: 'unactivated', acl: 0 };
    this.#images.set(uuid, [state]);
    const step = async (next: State | undefined, ask: () => Promise<unknown>): Promise<boolean> => {
      // Known before it is asked for: it may happen without an answer.
      this.#images.set(uuid, [state, next]);
      const isDone = (await this.#ask(async () => ({ answer: await ask() }))) !== undefined;
      if (isDone) this.#images.set(uuid, [next]);
      if (isDone && next) state = next;
      return isDone;
    };
    const upload = { compression: 'none', sha1: sha1Of(bytes), size: bytes.length } as const;
    return (
      (await step({ ...state, sha1: sha1Of(bytes) }, () =>
        client.addImageFile(uuid, Readable.from([bytes]), upload),
      )) &&
      (await step({ ...state, state: 'active' }, () => client.activateImage(uuid))) &&
      (await step({ ...state, description: '1' }, () => client.updateImage(uuid, { description: '1' }))) &&
      (await step({ ...state, acl: 1 }, () => client.addImageAcl(uuid, [BOB]))) &&
      (await step(state, () => client.listImages({ limit: 5 }))) &&
      (!isDeleted || (await step(undefined, () => client.deleteImage(uuid))))
    );
  }

  async #ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    const start = performance.now();
    try {
      const answer = await request();
      this.good += 1;
      return answer;
    } catch (error) {
      if (error instanceof ImgapiUnreachableError) this.lost += 1;
      else if (error instanceof ImgapiError && error.statusCode === 503 && error.retryAfter) this.refused += 1;
      else this.unexpected.push(error instanceof ImgapiError ? `${error.statusCode} ${error}` : String(error));
      return undefined;
    } finally {
      this.longest = Math.max(this.longest, performance.now() - start);
    }
  }
}

async function stateOf(client: ImgapiClient, uuid: string): Promise<State | undefined> {
  try {
    const { description = '', files, state, acl } = await client.getImage(uuid);
    return { description, sha1: files[0]?.sha1 ?? '', state, acl: acl?.length ?? 0 };
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'ResourceNotFound') return undefined;
    throw error;
  }
}
