/** The other process of the SQLite tests: `child.ts ROLE PATH …`. */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Store, Write } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { COUNTERS, LOG, SCRIBBLES, scribbled } from './fixture.ts';

const [role = '', path = '', ...args] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Counts up together with other processes, each in small steps. */
async function count(store: Store): Promise<void> {
  const [name = '', times = '0'] = args;
  await store.open([COUNTERS, LOG]);
  await store
    .batch([{ op: 'put', bucket: COUNTERS, key: 'shared', value: { count: 0 }, ifEtag: null }])
    .catch(() => {});
  for (let i = 0; i < Number(times); i += 1) {
    await updateObject(
      store,
      COUNTERS,
      'shared',
      ({ count: before, by = [] }) => ({ count: before + 1, by: [...new Set([...by, name])] }),
      { attempts: 1000 },
    );
    await store.batch([{ op: 'put', bucket: LOG, key: randomUUID(), value: { batch: i, part: 0, text: name } }]);
  }
}

/** Writes batches over two buckets until it is killed, and says which are durable. */
async function stream(store: Store): Promise<void> {
  const start = Number(args[0]);
  await store.open([COUNTERS, LOG]);
  for (let n = start; ; n += 1) {
    const parts: Write[] = [0, 1, 2].map((part) => ({
      op: 'put',
      bucket: LOG,
      key: `${n}-${part}`,
      value: { batch: n, part, text: 'x'.repeat(2000) },
    }));
    const remove: Write = { op: 'del', bucket: COUNTERS, key: `${n - 1}` };
    await store.batch([...parts, { op: 'put', bucket: COUNTERS, key: `${n}`, value: { count: n } }, remove]);
    say(`${n}`);
  }
}

/** Runs against a limit on the size of files, and goes on. */
async function overflow(store: Store): Promise<void> {
  // With somebody to take the signal, the write itself fails.
  process.on('SIGXFSZ', () => {});
  await store.open([LOG]);
  const put = (key: string, length: number): Promise<string[]> =>
    store.batch([{ op: 'put', bucket: LOG, key, value: { batch: 1, part: 1, text: 'x'.repeat(length) } }]);
  await put('small', 10);
  const [large, beside] = await Promise.allSettled([put('large', 64 * 1024 * 1024), put('beside', 10)]);
  const reason = large?.status === 'rejected' ? large.reason : undefined;
  say(`${reason?.name} because of ${reason?.cause?.name}`);
  await put('after', 10);
  const found = await store.find(LOG, {});
  const besideIsThere = found.some(({ key }) => key === 'beside');
  say(
    found
      .map(({ key }) => key)
      .filter((key) => key !== 'beside')
      .join(),
  );
  say(`${besideIsThere === (beside?.status === 'fulfilled')}`);
}

/** Writes random things, as many at a time as each line of its input asks for, and says when they are written. */
async function scribble(store: Store): Promise<void> {
  await store.open([SCRIBBLES]);
  const random = Math.random;
  for await (const line of createInterface({ input: process.stdin })) {
    for (let left = Number(line); left > 0; left -= 1) await store.batch([scribbled(random)]);
    say('written');
  }
}

const store = await openSqliteStore({ path });
await ({ count, stream, overflow, scribble }[role] ?? Promise.reject)(store);
await store.close();
