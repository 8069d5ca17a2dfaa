import type { ObjectStore } from '#lib/objects/object-store.ts';
import { Joined } from '#lib/runtime/joined.ts';
import { within } from '#lib/runtime/within.ts';
import type { Service } from './service.ts';

/** A store that does not answer so long is one that is down (ms); each has deadlines of its own, which are longer. */
const PATIENCE_MS = 1500;

/** What a store says of itself. */
interface Look {
  readonly identity: string;
  /** Bytes; undefined if the store cannot tell. */
  readonly free: number | undefined;
  /** Why nothing can be written into it, although it answers. */
  readonly refusal: Error | undefined;
}

/** Of a store that hangs, as balancers and metrics ask again each second, only one question is under way. */
const looks = new WeakMap<ObjectStore, Joined<Look>>();

/** The store's identity. @throws what the store says, or that it says nothing */
export async function promptIdentity(storage: ObjectStore): Promise<string> {
  return (await promptLook(storage)).identity;
}

/** Bytes that may still be written; undefined for a store that cannot tell, or not soon. */
export function promptFree(storage: ObjectStore): Promise<number | undefined> {
  return promptLook(storage).then(
    ({ free }) => free,
    () => undefined,
  );
}

/** @throws what the store says, or that it says nothing */
export function promptLook(storage: ObjectStore): Promise<Look> {
  const look = looks.get(storage) ?? new Joined(() => lookAt(storage));
  looks.set(storage, look);
  // A file server that is gone holds each look for ever, and with it one of the process's few threads.
  const lostAfter = storage.capabilities.supportsAdoption ? Number.POSITIVE_INFINITY : undefined;
  return within(PATIENCE_MS, look.run(performance.now(), lostAfter).promise, () => {
    throw new Error(`the object store "${storage.name}" did not answer within ${PATIENCE_MS} ms`);
  });
}

/** One after the other, or a disk that hangs would hold two threads. */
async function lookAt(storage: ObjectStore): Promise<Look> {
  const identity = await storage.identity();
  try {
    return { identity, free: await storage.free(), refusal: undefined };
  } catch (error) {
    return { identity, free: undefined, refusal: error as Error };
  }
}

/**
 * The stores that answer now, for what is done to all of them from time to time: one that is down keeps no other from its
 * turn, and has its own when it is back. @throws what they say if none answers
 */
export async function answeringStorages({ storages, log }: Pick<Service, 'storages' | 'log'>): Promise<ObjectStore[]> {
  const all = [...storages];
  const answers = await Promise.allSettled(all.map(promptIdentity));
  const answering = all.filter((storage, i) => {
    const answer = answers[i];
    if (answer?.status !== 'rejected') return true;
    log.warn({ err: answer.reason, store: storage.name }, 'an object store is down, and is left out');
    return false;
  });
  const [first] = answers;
  if (answering.length === 0 && first?.status === 'rejected') throw first.reason;
  return answering;
}
