/** What one client does and is told: each request is asked through it, and what may have become of images goes to the model. */
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { ALICE } from '../helpers/accounts.ts';
import type { Random } from '../helpers/random.ts';
import type { Contents } from './contents.ts';
import { certain, type Entry, foundOf, type Known, type Model, matches, show } from './model.ts';

/** A datacenter, and clients of any of its processes. */
export interface Place {
  readonly name: string;
  /** @param account undefined: the operators */
  readonly client: (account: string | undefined, random: Random) => ImgapiClient;
  /** A URL of one of its processes, for whoever imports from there. */
  readonly url: (random: Random) => string;
}

export interface Tally {
  acknowledged: number;
  /** Answers of 4xx, 503 and 507, by code. */
  readonly refused: Map<string, number>;
  lost: number;
  /** Requests that were answered, by name. */
  readonly done: Map<string, number>;
  /** What no trouble excuses. */
  readonly wrong: string[];
}

/** What all clients of a run have in common. */
export interface Run {
  readonly places: readonly Place[];
  readonly model: Model;
  readonly contents: Contents;
  readonly tally: Tally;
}

export interface Deleted {
  readonly entry: Entry;
  /** What it was. */
  readonly known: Known;
}

/** No file is damaged, and no client sends other bytes than it announced. */
const NEVER: readonly string[] = ['FileDamaged', 'Upload'];
/** To knock without a pause where nobody listens would take the time in which the process starts. */
const LOST_MS = 300;

export class Notebook {
  readonly places: readonly Place[];
  readonly model: Model;
  readonly contents: Contents;
  readonly random: Random;
  /** Images that only this client changes. */
  own: Entry[] = [];
  /** Its images that may be restored, oldest first. */
  readonly deleted: Deleted[] = [];
  readonly #tally: Tally;

  constructor({ places, model, contents, tally }: Run, random: Random) {
    this.places = places;
    this.model = model;
    this.contents = contents;
    this.random = random;
    this.#tally = tally;
  }

  client(place: string, account = ALICE): ImgapiClient {
    return this.place(place).client(account, this.random);
  }

  operator(place: string): ImgapiClient {
    return this.place(place).client(undefined, this.random);
  }

  place(name: string): Place {
    const found = this.places.find((one) => one.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  /** What was answered; undefined if it was refused or lost. */
  async ask<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await request();
      this.#tally.acknowledged += 1;
      this.count(what);
      return answer;
    } catch (error) {
      if (error instanceof ImgapiError && error.statusCode !== 500 && !NEVER.includes(error.code)) {
        const { refused } = this.#tally;
        refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
      } else if (error instanceof ImgapiUnreachableError) {
        this.#tally.lost += 1;
        await new Promise((resolve) => setTimeout(resolve, LOST_MS));
      } else this.wrong(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
      return undefined;
    }
  }

  /** Asks again, for what would else seldom come to be. Whatever became of the requests before is up to the caller. */
  async insist<T>(request: () => Promise<T>, tries: number): Promise<T | undefined> {
    for (let left = tries; left > 0; left--) {
      const answer = await request();
      if (answer) return answer;
    }
    return undefined;
  }

  /** Asks for a change of an image: without an answer it may be as before, or as it would be after. */
  async step(what: string, entry: Entry, next: Known | undefined, request: () => Promise<unknown>): Promise<boolean> {
    // Known before it is asked for: it may happen without an answer.
    entry.possible = [...entry.possible, next];
    if (typeof next?.icon !== 'object') entry.icons?.add(next?.icon ?? '');
    const answer = await this.ask(what, async () => ({ answer: await request() }));
    if (answer) entry.possible = [next];
    return answer !== undefined;
  }

  /** Finds out what became of a request that had no answer. */
  async settle(entry: Entry): Promise<void> {
    const found = await this.ask('look', async () => ({
      known: await foundOf(this.client(entry.place), entry.uuid),
    }));
    if (!found) return;
    const isCopy = entry.possible.some((one) => one?.state === 'copying');
    if (isCopy && found.known?.state !== 'active') return;
    if (isCopy && !entry.possible.some((one) => matches(one, found.known))) {
      this.wrong(`${entry.place} ${entry.uuid}: ${show(found.known)}, but ${entry.possible.map(show).join(' or ')}`);
    }
    // A request that was lost may still be on its way: only its effect says that it came.
    if (found.known === undefined) this.own = this.own.filter((one) => one !== entry);
    else if (entry.possible.length === 1 || isCopy) entry.possible = [found.known];
  }

  /** Its only possible state; where there are more, it is asked for, for the next time. */
  async certain(entry: Entry): Promise<Known | undefined> {
    const known = certain(entry);
    if (!known) await this.settle(entry);
    return known;
  }

  count(what: string): void {
    const { done } = this.#tally;
    done.set(what, (done.get(what) ?? 0) + 1);
  }

  wrong(what: string): void {
    this.#tally.wrong.push(what);
  }
}
