import type { ObjectStore } from '#lib/objects/object-store.ts';
import { Joined } from '#lib/runtime/joined.ts';
import { within } from '#lib/runtime/within.ts';
import type { Service } from './service.ts';

/** A store that does not answer so long is one that is down (ms); each has deadlines of its own, which are longer. */
const PATIENCE_MS = 1500;

/** Of a store that hangs, as balancers ask again each second, only one question is under way. */
const identities = new WeakMap<ObjectStore, Joined<string>>();

/** The store's identity. @throws what the store says, or that it says nothing */
export async function promptIdentity(storage: ObjectStore): Promise<string> {
  const identity = identities.get(storage) ?? new Joined(() => storage.identity());
  identities.set(storage, identity);
  return within(PATIENCE_MS, identity.run().promise, () => {
    throw new Error(`the object store "${storage.name}" did not answer within ${PATIENCE_MS} ms`);
  });
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
