import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import type { Capability } from '#lib/objects/capabilities.ts';
import type { Hashes, ObjectInfo, ObjectStore, ReadOptions, WriteSession } from '#lib/objects/object-store.ts';

export interface MadeObjectStore {
  readonly store: ObjectStore;
  reopen(): Promise<ObjectStore>;
  residue(): Promise<string[]>;
  /** Another datacenter's part of the same store; present if the store claims siblings. */
  sibling?(datacenter: string): Promise<ObjectStore>;
}

export type MakeObjectStore = (t: Test) => Promise<MadeObjectStore>;

type Body = (t: Test, made: MadeObjectStore) => Promise<unknown>;

/** Declares a test on a store of its own. */
export interface Define {
  (sentence: string, body: Body): void;
  /** A test of a capability. If the store does not claim it, the test only gives the reason in its name. */
  where(capability: Capability, sentence: string, body: Body): void;
}

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** By seed; grown as longer ones are asked for, because making them takes longer than what most tests do with them. */
const MADE = new Map<number, Buffer>();

/** Bytes in which no two parts are alike, different for each seed; the caller's own. */
export function bytes(length: number, seed = 1): Buffer {
  const made = MADE.get(seed);
  const enough = made && made.length >= length ? made : makeBytes(Math.max(length, 2 * (made?.length ?? 0)), seed);
  MADE.set(seed, enough);
  return Buffer.from(enough.subarray(0, length));
}

function makeBytes(length: number, seed: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    buffer[at] = state >>> 24;
  }
  return buffer;
}

export async function* pieces(whole: Uint8Array, size = 64 * KIB): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) {
    yield whole.subarray(at, at + size);
  }
}

/** A source that yields some bytes and then fails. */
export async function* failing(whole: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* pieces(whole);
  throw error;
}

export function hashesOf(whole: Uint8Array): Hashes {
  const hash = (algorithm: string, encoding: 'hex' | 'base64') => createHash(algorithm).update(whole).digest(encoding);
  return { sha1: hash('sha1', 'hex'), sha256: hash('sha256', 'hex'), md5: hash('md5', 'base64') };
}

let sessions = 0;

/** A session name that has not been used before. */
export function sessionName(): string {
  sessions += 1;
  return `${process.pid}-${sessions}.a_b`;
}

/** For bytes that nobody takes over. */
export function openOnce(store: ObjectStore, path: string, expect?: number): Promise<WriteSession> {
  const known = expect === undefined ? {} : { expect };
  return store.open({ path, session: sessionName(), once: true, ...known });
}

export async function put(store: ObjectStore, path: string, whole: Uint8Array): Promise<ObjectInfo> {
  const session = await store.open({ path, session: sessionName(), expect: whole.length });
  await session.append(pieces(whole));
  return session.commit();
}

export async function get(store: ObjectStore, path: string, options?: ReadOptions): Promise<Buffer> {
  const { stream } = await store.read(path, options);
  return collect(stream);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Compares buffers without printing megabytes when they differ. */
export function same(t: Test, found: Buffer, wanted: Buffer, what: string): void {
  t.ok(found.equals(wanted), `${what}: ${found.length} of ${wanted.length} bytes`);
}
