/** Clients that do all that accounts do, one thing after another, each with images of its own, and write down what they are told. */
import { Readable } from 'node:stream';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../helpers/images.ts';
import type { Random } from '../helpers/random.ts';
import { certain, type Entry, type Known, type Model } from './model.ts';

/** A datacenter, and a client of any of its processes. */
export interface Place {
  readonly name: string;
  readonly client: (account: string, random: Random) => ImgapiClient;
}

export interface Tally {
  acknowledged: number;
  /** Answers of 4xx, 503 and 507, by code. */
  readonly refused: Map<string, number>;
  lost: number;
  /** What no trouble excuses. */
  readonly wrong: string[];
}

const MOST_IMAGES = 6;
const LARGEST = 400_000;
const COPY_PATIENCE_MS = 60_000;

export class TortureClient {
  readonly #places: readonly Place[];
  readonly #model: Model;
  readonly #random: Random;
  readonly #tally: Tally;
  #own: Entry[] = [];
  #texts = 0;

  constructor(places: readonly Place[], model: Model, random: Random, tally: Tally) {
    this.#places = places;
    this.#model = model;
    this.#random = random;
    this.#tally = tally;
  }

  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const entry = this.#any();
      if (!entry || this.#own.length < 2) await this.#make();
      else if (this.#own.length > MOST_IMAGES) await this.#delete(this.#own[0] ?? entry);
      else await this.#act(entry);
      await new Promise((resolve) => setTimeout(resolve, 20 + this.#random.below(80)));
    }
  }

  async #act(entry: Entry): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 20) await this.#make();
    else if (dice < 40) await this.#update(entry);
    else if (dice < 50) await this.#share(entry);
    else if (dice < 58) await this.#able(entry);
    else if (dice < 66) await this.#read(entry);
    else if (dice < 76) await this.#list(entry.place);
    else if (dice < 82) await this.#clone(entry);
    else if (dice < 90) await this.#delete(entry);
    else await this.#copy(entry);
  }

  async #make(): Promise<void> {
    const place = this.#random.pick(this.#places);
    const client = this.#client(place.name);
    const made = await this.#ask(() => client.createImage({ ...MANIFEST, description: '0' }));
    if (!made) return;
    const known: Known = { state: 'unactivated', sha1: '', description: '0', acl: 0 };
    const entry = this.#model.add(place.name, ALICE, made.uuid, [known]);
    this.#own.push(entry);
    const bytes = this.#random.bytes(1000 + this.#random.below(LARGEST));
    const sha1 = sha1Of(bytes);
    const upload = { compression: 'none', sha1, size: bytes.length } as const;
    const isUp = await this.#step(entry, { ...known, sha1 }, () =>
      client.addImageFile(entry.uuid, Readable.from([bytes]), upload),
    );
    if (isUp) await this.#step(entry, { ...known, sha1, state: 'active' }, () => client.activateImage(entry.uuid));
  }

  async #update(entry: Entry): Promise<void> {
    const known = certain(entry);
    if (!known) return this.#settle(entry);
    this.#texts += 1;
    const description = String(this.#texts);
    await this.#step(entry, { ...known, description }, () =>
      this.#client(entry.place).updateImage(entry.uuid, { description }),
    );
  }

  async #share(entry: Entry): Promise<void> {
    const known = certain(entry);
    if (known?.acl === undefined) return this.#settle(entry);
    const client = this.#client(entry.place);
    const acl = known.acl === 0 ? 1 : 0;
    await this.#step(entry, { ...known, acl }, () =>
      acl === 1 ? client.addImageAcl(entry.uuid, [BOB]) : client.removeImageAcl(entry.uuid, [BOB]),
    );
  }

  async #able(entry: Entry): Promise<void> {
    const known = certain(entry);
    if (known?.state !== 'active' && known?.state !== 'disabled') return this.#settle(entry);
    const client = this.#client(entry.place);
    const state = known.state === 'active' ? 'disabled' : 'active';
    await this.#step(entry, { ...known, state }, () =>
      state === 'active' ? client.enableImage(entry.uuid) : client.disableImage(entry.uuid),
    );
  }

  async #read(entry: Entry): Promise<void> {
    const known = certain(entry);
    if (!known?.sha1) return this.#settle(entry);
    const sha1 = await this.#ask(async () => {
      const { stream } = await this.#client(entry.place).getImageFile(entry.uuid);
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(Buffer.from(part as Uint8Array));
      return sha1Of(Buffer.concat(parts));
    });
    if (sha1 !== undefined && sha1 !== known.sha1) this.#wrong(`${entry.uuid} was served with sha1 ${sha1}`);
  }

  /** What was certainly there before the list was asked for, and is after it, is in it. */
  async #list(place: string): Promise<void> {
    const before = this.#own.filter((one) => one.place === place && certain(one));
    const listed = await this.#ask(() => this.#client(place).listImages({ state: 'all', owner: ALICE }));
    if (!listed) return;
    const found = new Set(listed.map(({ uuid }) => uuid));
    for (const { uuid } of before) if (!found.has(uuid)) this.#wrong(`${uuid} is not in the list of ${place}`);
  }

  async #clone(entry: Entry): Promise<void> {
    const known = certain(entry);
    if (!known?.acl || known.state !== 'active') return;
    const clone = await this.#ask(() => this.#client(entry.place, BOB).cloneImage(entry.uuid));
    if (clone && known.sha1 !== undefined) {
      this.#model.add(entry.place, BOB, clone.uuid, [{ state: 'active', sha1: known.sha1 }]);
    }
  }

  async #delete(entry: Entry): Promise<void> {
    const isGone = await this.#step(entry, undefined, () => this.#client(entry.place).deleteImage(entry.uuid));
    if (isGone) this.#own = this.#own.filter((one) => one !== entry);
    else await this.#settle(entry);
  }

  async #copy(entry: Entry): Promise<void> {
    const known = certain(entry);
    const to = this.#random.pick(this.#places.filter(({ name }) => name !== entry.place));
    if (known?.state !== 'active' || !known.sha1 || this.#model.find(to.name, entry.uuid)) return;
    const client = this.#client(to.name);
    const there: Known = { state: 'active', sha1: known.sha1 };
    const copy = this.#model.add(to.name, ALICE, entry.uuid, [
      undefined,
      there,
      { state: 'copying' },
      { state: 'failed' },
    ]);
    this.#own.push(copy);
    const ordered = await this.#ask(() => client.copyImageFromDc(entry.uuid, { datacenter: entry.place }));
    if (!ordered) return;
    if (this.#random.chance(0.2) && (await this.#ask(() => client.cancelImageCopy(entry.uuid)))) return;
    const end = Date.now() + COPY_PATIENCE_MS;
    while (Date.now() < end) {
      const status = await this.#ask(() => this.#client(to.name).getImageCopy(entry.uuid));
      if (status?.state === 'succeeded') copy.possible = [there];
      if (status?.finished_at !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Finds out what became of a request that had no answer. */
  async #settle(entry: Entry): Promise<void> {
    const found = await this.#ask(async () => {
      try {
        const { state, files, description = '', acl } = await this.#client(entry.place).getImage(entry.uuid);
        return { known: { state, sha1: files[0]?.sha1 ?? '', description, acl: acl?.length ?? 0 } };
      } catch (error) {
        if (error instanceof ImgapiError && error.code === 'ResourceNotFound') return { known: undefined };
        throw error;
      }
    });
    if (!found) return;
    const isCopy = entry.possible.some((one) => one?.state === 'copying');
    if (isCopy && found.known?.state !== 'active') return;
    // A request that was lost may still be on its way: only its effect says that it came.
    if (found.known === undefined) this.#own = this.#own.filter((one) => one !== entry);
    else if (entry.possible.length === 1 || isCopy) entry.possible = [found.known];
  }

  async #step(entry: Entry, next: Known | undefined, request: () => Promise<unknown>): Promise<boolean> {
    const before = entry.possible;
    // Known before it is asked for: it may happen without an answer.
    entry.possible = [...before, next];
    const answer = await this.#ask(async () => ({ answer: await request() }));
    if (answer) entry.possible = [next];
    return answer !== undefined;
  }

  async #ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await request();
      this.#tally.acknowledged += 1;
      return answer;
    } catch (error) {
      if (error instanceof ImgapiError && error.statusCode !== 500) {
        const { refused } = this.#tally;
        refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
      } else if (error instanceof ImgapiUnreachableError) this.#tally.lost += 1;
      else this.#wrong(String(error));
      return undefined;
    }
  }

  #wrong(what: string): void {
    this.#tally.wrong.push(what);
  }

  #client(place: string, account = ALICE): ImgapiClient {
    const found = this.#places.find(({ name }) => name === place);
    if (!found) throw new Error(`there is no ${place}`);
    return found.client(account, this.#random);
  }

  #any(): Entry | undefined {
    return this.#own.length === 0 ? undefined : this.#random.pick(this.#own);
  }
}
