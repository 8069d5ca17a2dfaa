/** Moray keeps nobody out by itself: a process that is alone there may fence it, and others notice in time. */
import { type Test, test } from 'tap';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import { type Moved, StoreMovedError } from '#lib/documents/moving/moved.ts';
import { presenceFence } from '#lib/documents/moving/presence-fence.ts';
import { MOVED, PROCESSES, type PresentOptions, PresentStore } from '#lib/documents/moving/present-store.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { MorayDouble } from '../../../doubles/moray/server.ts';
import { waitFor } from '../../../helpers/wait.ts';

const THINGS: Bucket<{ n: number }> = { name: 'things', version: 1, index: { n: { type: 'number' } } };

async function startMoray(t: Test) {
  const moray = await new MorayDouble().start();
  t.teardown(() => moray.stop());
  const open = () => openMorayStore({ host: '127.0.0.1', port: moray.port });
  /** A process, as it starts. */
  const enter = async (options: Partial<PresentOptions> = {}) => {
    const worker = newUuid();
    const store = new PresentStore(await open(), { worker, since: 0, callMs: 1000, ...options });
    t.teardown(() => store.close());
    const opened = store.open([THINGS]);
    return { worker, store, opened, fence: presenceFence({ present: store, open }) };
  };
  return { open, enter };
}

function move(worker: string, more: Partial<Moved> = {}): Moved {
  const until = Date.now() + 60_000;
  return { nonce: 'a', to: 'postgres', epoch: 1, state: 'moving', worker, until, length: 60_000, ...more };
}

test('Moray is fenced only by the last process that uses it, whose own calls then end and wait', async (t) => {
  const { open, enter } = await startMoray(t);
  const [mover, other] = [await enter(), await enter()];
  for (const { opened } of [mover, other]) await opened;
  await other.store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 1 } }]);
  await t.rejects(mover.fence.raise(move(mover.worker)), new RegExp(`stop them first.*${process.pid} on `));
  t.equal(await mover.fence.read(), undefined, 'nothing is left of the try');
  t.equal((await mover.store.get(THINGS, 'a'))?.value.n, 1);
  await other.store.close();

  const piece = mover.store.scan(THINGS, {})[Symbol.asyncIterator]();
  const writing = mover.store.batch([{ op: 'put', bucket: THINGS, key: 'b', value: { n: 2 } }]);
  t.equal(await mover.fence.raise(move(mover.worker)), true);
  await writing;
  await t.rejects(piece.next(), StoreMovedError);
  const calls: (() => Promise<unknown>)[] = [
    () => mover.store.get(THINGS, 'a'),
    () => mover.store.getMany(THINGS, ['a']),
    () => mover.store.find(THINGS, {}),
    () => mover.store.count(THINGS),
    () => mover.store.batch([{ op: 'put', bucket: THINGS, key: 'c', value: { n: 3 } }]),
    () => mover.store.ping(),
  ];
  for (const call of calls) await t.rejects(call(), StoreMovedError);
  const behind = await mover.fence.behind();
  await behind.open([THINGS]);
  t.equal(await behind.count(THINGS), 2, 'what was under way is there');
  await behind.close();
  const late = await enter();
  await t.rejects(late.opened, StoreMovedError, 'who comes now waits');
  t.equal(await late.fence.raise(move(late.worker, { nonce: 'b' })), false, 'one move at a time');
  t.equal(await late.fence.lift(move(late.worker)), false, 'only by who raised it, or in that name');

  t.equal(await mover.fence.lift(move(mover.worker)), true);
  t.equal(await mover.store.count(THINGS), 2, 'calls go on');
  await late.store.close();
  t.equal(await mover.fence.raise(move(mover.worker)), true);
  t.equal(await mover.fence.change(move(mover.worker, { state: 'done' })), true);
  t.equal(await mover.fence.lift(move(mover.worker)), false, 'a move that is done stays done');
  await t.rejects(mover.store.get(THINGS, 'a'), StoreMovedError);
  const back = await enter({ since: 2 });
  await back.opened;
  t.equal(await back.store.count(THINGS), 2);
  await back.fence.forget(1);
  t.equal(await back.fence.read(), undefined);
  for (const { store } of [mover, back]) await store.close();

  const plain = await open();
  t.teardown(() => plain.close());
  await plain.open([PROCESSES, MOVED]);
  t.equal(await plain.count(PROCESSES), 0, 'no process is noted any more');
});

test('a process that slept past its note looks for a move before it calls Moray again', async (t) => {
  const { enter } = await startMoray(t);
  const sleeper = await enter({ callMs: 0, lastsMs: 300, renewMs: 1_000_000 });
  await sleeper.opened;
  await sleeper.store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 1 } }]);
  const mover = await enter();
  await mover.opened;
  await waitFor('the note to run out', () => mover.fence.raise(move(mover.worker)).catch(() => false));
  await t.rejects(sleeper.store.batch([{ op: 'put', bucket: THINGS, key: 'a', value: { n: 2 } }]), StoreMovedError);
  await mover.fence.lift(move(mover.worker));
  t.equal((await sleeper.store.get(THINGS, 'a'))?.value.n, 1);
});
