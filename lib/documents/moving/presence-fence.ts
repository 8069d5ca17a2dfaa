/** The fence of a store that keeps nobody out by itself: the process that moves the documents must be the only one there. */
import { isDeepStrictEqual } from 'node:util';
import { isHeldBy } from '../lease.ts';
import type { Store } from '../store.ts';
import { unlessChanged } from '../update.ts';
import type { Fence, Moved, Raised } from './moved.ts';
import { MOVED, MOVED_KEY, PROCESSES, type PresentStore } from './present-store.ts';

export interface PresenceFenceOptions {
  /** What this process makes its calls by. */
  readonly present: Pick<PresentStore, 'shut'>;
  /** Opens the store itself. */
  readonly open: () => Promise<Store>;
}

export function presenceFence({ present, open }: PresenceFenceOptions): Fence {
  const using = async <R>(body: (store: Store) => Promise<R>): Promise<R> => {
    const store = await open();
    try {
      await store.open([MOVED, PROCESSES]);
      return await body(store);
    } finally {
      await store.close();
    }
  };
  return {
    now: () => using(async (store) => store.now()),
    read: () => using(async (store) => (await store.get(MOVED, MOVED_KEY))?.value),
    raise: (moved) =>
      using(async (store) => {
        if (!(await note(store, moved))) return false;
        await assertAlone(store, moved);
        await present.shut();
        return true;
      }),
    change: (moved) => using((store) => replace(store, moved, moved)),
    lift: (raised) => using((store) => replace(store, raised, undefined)),
    // What was left there is nobody's to remove: an older IMGAPI may have been started on it again.
    clear: async () => undefined,
    forget: (epoch) => using((store) => forget(store, epoch)),
    behind: open,
    changes: undefined,
  };
}

async function note(store: Store, moved: Moved): Promise<boolean> {
  const found = await store.get(MOVED, MOVED_KEY);
  if (isDeepStrictEqual(found?.value, moved)) return true;
  if (found && found.value.epoch >= moved.epoch) return false;
  const ifEtag = found?.etag ?? null;
  return unlessChanged(store.batch([{ op: 'put', bucket: MOVED, key: MOVED_KEY, value: moved, ifEtag }]));
}

/** @throws Error that names the other processes; the note is gone then */
async function assertAlone(store: Store, moved: Moved): Promise<void> {
  const now = store.now();
  const others = (await store.find(PROCESSES, {}))
    .map(({ value }) => value)
    .filter(({ worker, until, length }) => worker !== moved.worker && isHeldBy(worker, until, length, now));
  if (others.length === 0) return;
  await replace(store, moved, undefined);
  const names = [...new Set(others.map(({ host, pid }) => `${pid} on ${host}`))].join(', ');
  throw new Error(
    `other processes use the old store: stop them first, one that was killed counts for a minute: ${names}`,
  );
}

/** Replaces or removes the note of who raised the fence. */
async function replace(store: Store, { nonce, worker }: Raised, by: Moved | undefined): Promise<boolean> {
  const found = await store.get(MOVED, MOVED_KEY);
  const { value, etag: ifEtag } = found ?? {};
  if (value?.state !== 'moving' || value.nonce !== nonce || value.worker !== worker || ifEtag === undefined) {
    return false;
  }
  const at = { bucket: MOVED, key: MOVED_KEY, ifEtag };
  return unlessChanged(store.batch([by ? { op: 'put', ...at, value: by } : { op: 'del', ...at }]));
}

async function forget(store: Store, epoch: number): Promise<void> {
  const found = await store.get(MOVED, MOVED_KEY);
  if (found && found.value.epoch <= epoch) await store.batch([{ op: 'del', bucket: MOVED, key: MOVED_KEY }]);
}
