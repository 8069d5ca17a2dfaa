/**
 * What clients have been told, kept apart from the server: of each image the states in which it may be. One that was
 * acknowledged is the only one; a request without an answer leaves both, that before it and that after it.
 */

import { createHash } from 'node:crypto';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { sha1Of } from '../helpers/images.ts';
import { eachOf } from '../helpers/invariants.ts';
import type { Content } from './contents.ts';

/** As far as it is known; fields that are absent may be anything. */
export interface Known {
  readonly state: string;
  readonly sha1?: string;
  readonly description?: string;
  readonly acl?: number;
  /** The SHA-1 of its icon, or those of which it has one; empty: it has none. */
  readonly icon?: string | ReadonlySet<string>;
  readonly protected?: boolean;
}

export interface Entry {
  readonly place: string;
  readonly owner: string;
  readonly uuid: string;
  /** undefined: there is none. */
  possible: readonly (Known | undefined)[];
  /** The icons that it had, or may have had, since it was to be copied: the copy has one of these. */
  icons?: Set<string>;
  /** In how many checks in a row it was not there. */
  gone?: number;
  /** Of an upload that goes on where it stopped, while there may be one. */
  upload?: Content;
}

/** What is gone in so many checks does not come back any more. */
const LONG_GONE = 3;

export class Model {
  readonly #entries = new Map<string, Entry>();

  add(place: string, owner: string, uuid: string, possible: Entry['possible']): Entry {
    const key = `${place} ${uuid}`;
    const known = this.#entries.get(key);
    if (known) {
      known.possible = possible;
      return known;
    }
    const entry = { place, owner, uuid, possible };
    this.#entries.set(key, entry);
    return entry;
  }

  find(place: string, uuid: string): Entry | undefined {
    return this.#entries.get(`${place} ${uuid}`);
  }

  /** Those that are certainly there. */
  present(place: string, owner: string): Entry[] {
    return [...this.#entries.values()].filter((one) => one.place === place && one.owner === owner && certain(one));
  }

  /** How many may be there with a file that has such a SHA-1. */
  withFile(isSuch: (sha1: string | undefined) => boolean): number {
    return [...this.#entries.values()].filter(({ possible }) => possible.some((one) => isSuch(one?.sha1))).length;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Asks for each image, and reads its file; what is found is known from then on. Returns what is not as acknowledged. */
  async lies(clientOf: (place: string, owner: string) => ImgapiClient): Promise<string[]> {
    return eachOf([...this.#entries.values()], async (entry) => {
      const client = clientOf(entry.place, entry.owner);
      const found = await foundOf(client, entry.uuid);
      const lies: string[] = [];
      entry.gone = found ? 0 : (entry.gone ?? 0) + 1;
      if (entry.gone >= LONG_GONE) this.#entries.delete(`${entry.place} ${entry.uuid}`);
      if (!entry.possible.some((one) => matches(one, found))) {
        lies.push(`${entry.place} ${entry.uuid}: ${show(found)}, but ${entry.possible.map(show).join(' or ')}`);
      }
      if (found?.sha1 !== undefined && found.sha1 !== '') {
        lies.push(...(await fileLies(client, entry, found.sha1)));
      }
      // A copy may come, fail or be canceled as long as it is under way: an order that was given up is placed again to be canceled.
      if (found?.state !== 'copying') entry.possible = [found];
      else entry.possible = [...entry.possible, undefined, found, { state: 'failed' }, { state: 'active' }];
      return lies;
    });
  }
}

export interface Served {
  readonly sha1: string;
  readonly md5: string;
  /** The MD5 that the answer announced; absent if it named none. */
  readonly announced?: string | undefined;
}

/** The hashes of the file as it comes. */
export async function served(client: ImgapiClient, uuid: string): Promise<Served> {
  const { stream, headers } = await client.getImageFile(uuid);
  const [sha1, md5] = [createHash('sha1'), createHash('md5')];
  for await (const part of stream) for (const hash of [sha1, md5]) hash.update(part as Uint8Array);
  return { sha1: sha1.digest('hex'), md5: md5.digest('base64'), announced: headers['content-md5'] };
}

/** What is wrong with a file when all is whole: then its MD5 is announced too, if it was left for later. */
async function fileLies(client: ImgapiClient, { place, uuid }: Entry, expected: string): Promise<string[]> {
  const found = await served(client, uuid).catch((error: unknown) => String(error));
  if (typeof found === 'string') return [`${place} ${uuid}: its file has sha1 ${found}, not ${expected}`];
  const { sha1, md5, announced } = found;
  return [
    ...(sha1 === expected ? [] : [`${place} ${uuid}: its file has sha1 ${sha1}, not ${expected}`]),
    ...(announced === md5 ? [] : [`${place} ${uuid}: its file has MD5 ${md5}, announced as ${announced}`]),
  ];
}

/** The only state in which it can be, if it is there. */
export function certain({ possible }: Entry): Known | undefined {
  return possible.length === 1 ? possible[0] : undefined;
}

/** What the server says of an image, with the hash of the icon that it gives. */
export async function foundOf(client: ImgapiClient, uuid: string): Promise<Known | undefined> {
  try {
    const { state, files, description = '', acl, icon, protected: isProtected = false } = await client.getImage(uuid);
    const shown = { state, protected: isProtected, sha1: files[0]?.sha1 ?? '', description, acl: acl?.length ?? 0 };
    return { ...shown, icon: icon ? await iconServed(client, uuid) : '' };
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'ResourceNotFound') return undefined;
    throw error;
  }
}

async function iconServed(client: ImgapiClient, uuid: string): Promise<string> {
  const { stream } = await client.getImageIcon(uuid);
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return sha1Of(Buffer.concat(parts));
}

export function matches(one: Known | undefined, found: Known | undefined): boolean {
  if (!one || !found) return one === found;
  return Object.entries(one).every(([field, value]) => {
    const there = found[field as keyof Known];
    return value instanceof Set ? value.has(there) : there === value;
  });
}

export function show(one: Known | undefined): string {
  return one ? JSON.stringify(one, (_, value) => (value instanceof Set ? [...value] : value)) : 'none';
}
