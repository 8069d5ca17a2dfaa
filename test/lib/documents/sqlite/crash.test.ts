import { join } from 'node:path';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { COUNTERS, LOG, startChild } from './fixture.ts';

test('of a killed process every batch is whole or absent, and none that it reported is lost', async (t) => {
  const path = join(t.testdir(), 'moray.db');
  let next = 0;
  for (let round = 0; round < 5; round += 1) {
    const child = startChild(t, 'stream', [path, `${next}`]);
    await child.wrote(5 + round * 13);
    child.process.kill('SIGKILL');
    t.equal(await child.ended, 'SIGKILL');
    const reported = Number(child.lines.at(-1));

    const store = await openSqliteStore({ path });
    await store.open([COUNTERS, LOG]);
    const counters = await store.find(COUNTERS, {});
    t.equal(counters.length, 1, 'the counter of the batch before went with each batch');
    const last = counters[0]?.value.count ?? -1;
    t.ok(last === reported || last === reported + 1, `batch ${last} is the last, ${reported} was reported`);
    t.equal(await store.count(LOG), (last + 1) * 3);
    for (const part of [0, 1, 2]) {
      t.equal(await store.count(LOG, { op: 'eq', field: 'part', value: part }), last + 1);
    }
    await store.close();
    next = last + 1;
  }
});
