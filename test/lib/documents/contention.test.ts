/** As many processes as a large datacenter has want the same document at the same time. */
import { test } from 'tap';
import { isHeld, type Lease, newLease } from '#lib/documents/lease.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { unlessChanged, updateObject } from '#lib/documents/update.ts';
import { pause } from '#lib/runtime/timers.ts';
import { documentEngines } from '../../engines/documents.ts';

const PROCESSES = 32;
const EDITS = 6;
/** Milliseconds within which everybody has had its turn. */
const BOUND_MS = 60_000;

interface Note {
  readonly names: readonly string[];
  readonly lease?: Lease;
  readonly rev: number;
}

const NOTES: Bucket<Note> = { name: 'notes', version: 1, index: { rev: { type: 'number' } } };
const KEY = 'the only one';

documentEngines.withNpm.each(({ name, make }) => {
  test(`${name}: ${PROCESSES} processes and one document`, async (t) => {
    const { store, reopen } = await make(t);
    const stores = [store, ...(await Promise.all(Array.from({ length: PROCESSES - 1 }, () => reopen())))];
    for (const each of stores) await each.open([NOTES]);

    await t.test('each edit of each is there, and nobody waits for ever', async (t) => {
      await store.batch([{ op: 'put', bucket: NOTES, key: KEY, value: { names: [], rev: 1 } }]);
      const times: number[] = [];
      const edit = async (own: Store, process: number): Promise<void> => {
        for (let turn = 0; turn < EDITS; turn += 1) {
          const start = performance.now();
          const added = `${process}.${turn}`;
          await updateObject(own, NOTES, KEY, ({ names, rev }) => ({ names: [...names, added], rev: rev + 1 }));
          times.push(performance.now() - start);
        }
      };
      await Promise.all(stores.map(edit));
      const { names = [] } = (await store.get(NOTES, KEY))?.value ?? {};
      const all = stores.flatMap((_, process) => Array.from({ length: EDITS }, (_, turn) => `${process}.${turn}`));
      t.strictSame(names.toSorted(), all.toSorted());
      const longest = Math.max(...times);
      t.ok(longest < BOUND_MS);
      const middle = times.toSorted((a, b) => a - b)[times.length / 2];
      t.comment(`half within ${Math.round(middle ?? 0)} ms, all within ${Math.round(longest)} ms`);
    });

    await t.test('a lease has one holder at a time, and everybody gets it', async (t) => {
      await store.batch([{ op: 'put', bucket: NOTES, key: KEY, value: { names: [], rev: 1 } }]);
      let holders = 0;
      const begin = performance.now();
      const work = async (own: Store, process: number): Promise<void> => {
        while (!(await held(own, `${process}`))) await pause(Math.random() * 50);
        holders += 1;
        t.equal(holders, 1);
        await pause(1);
        holders -= 1;
        await updateObject(own, NOTES, KEY, ({ lease: _, names, rev }) => ({
          ...{ names: [...names, `${process}`], rev: rev + 1 },
        }));
      };
      await Promise.all(stores.map(work));
      t.equal((await store.get(NOTES, KEY))?.value.names.length, PROCESSES);
      t.ok(performance.now() - begin < BOUND_MS);
    });
  });
});

/** Whether the lease is ours now. */
async function held(store: Store, worker: string): Promise<boolean> {
  const found = await store.get(NOTES, KEY);
  if (!found || isHeld(found.value.lease, store.now())) return false;
  const value = { ...found.value, lease: newLease(worker, 60, store.now()), rev: found.value.rev + 1 };
  return unlessChanged(store.batch([{ op: 'put', bucket: NOTES, key: KEY, value, ifEtag: found.etag }]));
}
