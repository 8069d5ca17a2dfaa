/** How far the pass over all files is, kept where whichever process goes on with it finds it. */
import type { ScrubStatus } from '#lib/api/schemas/maintenance.ts';
import { LeaseLostError } from '#lib/documents/lease.ts';
import type { Bucket, Stored } from '#lib/documents/store.ts';
import { retryOnConflict, updateObject } from '#lib/documents/update.ts';
import { FINDINGS } from '../../images/files/findings.ts';
import type { Service } from '../../service/service.ts';

type Counts = Omit<NonNullable<ScrubStatus['pass']>, 'began_at'>;

export interface Pass extends Counts {
  /** Milliseconds since the epoch, as all times here. */
  readonly began_at: number;
  /** Whose it is: a process that was stopped and woke up must not set it back. */
  readonly worker: string;
  /** The UUID of the last image that was checked; empty before the first. */
  readonly after: string;
}

interface Scrub {
  /** Absent between two passes. */
  readonly pass?: Pass;
  readonly last?: Counts & { readonly began_at: number; readonly ended_at: number };
  /** When an operator asked for a pass; absent once it has begun. */
  readonly ordered_at?: number;
  /** When the last pass ended, or when the datacenter first looked. */
  readonly since: number;
  /** Counts the writes. */
  readonly rev: number;
}

const KEY = 'files';
export const SCRUBS: Bucket<Scrub> = { name: 'imgapi_scrubs', version: 1, index: {} };

/** The pass to go on with, now that of this process; undefined if none is due. */
export async function takePass(service: Service): Promise<Pass | undefined> {
  const { store, worker } = service;
  return retryOnConflict(async () => {
    const stored = await store.get(SCRUBS, KEY);
    const now = store.now();
    if (!stored) {
      // A datacenter that has just got this does not begin at once to read all that it has.
      await put(service, { since: now, rev: 0 }, undefined);
      return undefined;
    }
    const { pass: before, ordered_at: _, ...rest } = stored.value;
    if (!before && !isDue(service, stored.value)) return undefined;
    const fresh = { began_at: now, after: '', files: 0, bytes: 0, bad: 0, skipped: 0 };
    const pass: Pass = { ...(before ?? fresh), worker };
    await put(service, { ...rest, pass }, stored);
    return pass;
  });
}

function isDue(service: Service, scrub: Scrub): boolean {
  return (dueAt(service, scrub) ?? Number.POSITIVE_INFINITY) <= service.store.now();
}

function dueAt({ config }: Service, { since, ordered_at: ordered }: Scrub): number | undefined {
  if (ordered !== undefined) return ordered;
  const { intervalSeconds } = config.scrub;
  return intervalSeconds === 0 ? undefined : since + intervalSeconds * 1000;
}

/** @throws LeaseLostError when another process goes on with the pass */
export async function checkpoint(service: Service, pass: Pass): Promise<void> {
  await updateObject(service.store, SCRUBS, KEY, (scrub) => {
    assertOurs(service, scrub);
    return { ...scrub, pass, rev: scrub.rev + 1 };
  });
}

/** @throws LeaseLostError */
export async function endPass(service: Service, { worker: _, after: __, ...counts }: Pass): Promise<void> {
  const now = service.store.now();
  await updateObject(service.store, SCRUBS, KEY, (scrub) => {
    assertOurs(service, scrub);
    const { pass: ___, ...rest } = scrub;
    return { ...rest, last: { ...counts, ended_at: now }, since: now, rev: scrub.rev + 1 };
  });
}

function assertOurs({ worker }: Service, { pass }: Scrub): void {
  if (pass?.worker !== worker) throw new LeaseLostError('another process goes on with the pass over all files');
}

/** Has a pass begin soon, unless one is under way. */
export async function orderPass(service: Service): Promise<ScrubStatus> {
  const { store } = service;
  await retryOnConflict(async () => {
    const stored = await store.get(SCRUBS, KEY);
    const now = store.now();
    if (stored?.value.pass) return;
    await put(service, { ...(stored?.value ?? { since: now, rev: 0 }), ordered_at: now }, stored);
  });
  return scrubStatus(service);
}

export async function scrubStatus(service: Service): Promise<ScrubStatus> {
  const [found, findings] = await Promise.all([service.store.get(SCRUBS, KEY), service.store.count(FINDINGS)]);
  if (!found) return { findings };
  const { pass, last } = found.value;
  const next = pass ? undefined : dueAt(service, found.value);
  return {
    findings,
    ...(next !== undefined && { next_at: iso(next) }),
    ...(pass && { pass: { ...countsOf(pass), began_at: iso(pass.began_at) } }),
    ...(last && { last: { ...countsOf(last), began_at: iso(last.began_at), ended_at: iso(last.ended_at) } }),
  };
}

function countsOf({ files, bytes, bad, skipped }: Counts): Counts {
  return { files, bytes, bad, skipped };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

async function put({ store }: Service, scrub: Scrub, before: Stored<Scrub> | undefined): Promise<void> {
  const value = { ...scrub, rev: scrub.rev + 1 };
  await store.batch([{ op: 'put', bucket: SCRUBS, key: KEY, value, ifEtag: before?.etag ?? null }]);
}
