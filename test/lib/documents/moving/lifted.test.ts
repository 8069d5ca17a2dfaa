/** Calls that meet a fence while it is raised and lifted again and again. */
import { test } from 'tap';
import { type Moved, StoreMovedError } from '#lib/documents/moving/moved.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { SOURCES } from './sources.ts';

const THINGS: Bucket<{ n: number }> = { name: 'things', version: 1, index: { n: { type: 'number' } } };

for (const [name, sourceFor] of Object.entries(SOURCES)) {
  test(`${name}: a call works, or says that the documents are moving, whenever it meets the fence`, async (t) => {
    const { open, fence } = await sourceFor(t);
    const store = await open();
    t.teardown(() => store.close());
    await store.open([THINGS]);
    let isOver = false;
    const worked = [0, 0, 0, 0];
    const wrong: unknown[] = [];
    const again = async (call: (n: number) => Promise<unknown>, caller: number): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        try {
          await call(n);
          worked[caller] = n;
        } catch (error) {
          if (!(error instanceof StoreMovedError)) wrong.push(error);
        }
        await new Promise(setImmediate);
      }
    };
    const calls: ((n: number) => Promise<unknown>)[] = [
      (n) => store.get(THINGS, `${n % 9}`),
      (n) => store.find(THINGS, { filter: { op: 'ge', field: 'n', value: n % 9 } }),
      () => store.count(THINGS),
      (n) => store.batch([{ op: 'put', bucket: THINGS, key: `${n % 9}`, value: { n } }]),
    ];
    const callers = calls.map(again);
    for (let epoch = 1; epoch <= 25; epoch++) {
      const moved: Moved = {
        ...{ nonce: 'a', to: 'elsewhere', epoch, state: 'moving', worker: 'w' },
        ...{ until: Number.MAX_SAFE_INTEGER, length: 1000 },
      };
      t.equal(await fence.raise(moved), true);
      t.equal(await fence.lift(moved), true);
      const before = [...worked];
      await waitFor('all calls to work', () => worked.every((n, caller) => n !== before[caller]));
    }
    isOver = true;
    await Promise.all(callers);
    t.same(wrong, []);
  });
}
