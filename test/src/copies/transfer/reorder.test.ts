/** Pieces in memory, on their way into a store that takes bytes in order only. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { openLocalStore } from '#lib/objects/local/store.ts';
import { ReorderBoard } from '#src/copies/transfer/reorder-board.ts';
import { ReorderMemory, SLICE_BYTES } from '#src/copies/transfer/reorder-memory.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

const PIECE = 4 * SLICE_BYTES;

async function config() {
  const keys = { mode: 'dc', datacenterName: 'us-own-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' };
  return (await loadConfig(undefined, { ...keys, accounts: { file: '/none' } })).config;
}

const never = new AbortController().signal;

async function boardOf(t: Test, size: number, { staged = 0 } = {}) {
  const bytes = randomBytes(size);
  const store = await openLocalStore({ root: await temporaryFolder(t) });
  t.teardown(() => store.close());
  const session = await store.open({ path: 'images/file0', session: 'ordered' });
  await session.append(Readable.from([bytes.subarray(0, staged)]));
  const memory = new ReorderMemory(await config());
  memory.enter();
  let isOver = false;
  const at = async (index: number): Promise<string> =>
    createHash('sha256')
      .update(bytes.subarray(index * PIECE, (index + 1) * PIECE))
      .digest('hex');
  const board = new ReorderBoard({
    ...{ session, total: size, memory, signal: never },
    hashes: { at },
    isOver: () => isOver,
  });
  type Taken = Awaited<ReturnType<typeof take>>;
  const take = async () => {
    const taken = await board.take(never);
    if (!taken) throw new Error('nothing is left to take');
    return taken;
  };
  const write = ({ start, length, bytes: to }: Taken, from = bytes) =>
    to.write(Readable.from([Buffer.from(from.subarray(start + to.written, start + length))]), { disposable: true });
  return {
    ...{ board, bytes, session, take, write },
    async bring(taken: Taken) {
      await write(taken);
      return board.verify(taken);
    },
    endSoon() {
      isOver = true;
      board.look();
    },
    async assertWhole() {
      await board.settle();
      await board.end();
      await session.commit();
      t.ok((await bytesOf((await store.read('images/file0')).stream)).equals(bytes));
    },
  };
}

test('slices that come in any order are staged in order, the last one shorter', async (t) => {
  const { board, bring, take, assertWhole } = await boardOf(t, 2 * PIECE + 5);
  const taken = [];
  for (let at = 0; at < 9; at += 1) taken.push(await take());
  t.equal(await board.take(never), undefined);
  t.equal(taken.at(-1)?.length, 5);
  for (const slice of taken.reverse()) t.ok(await bring(slice));
  t.ok(board.isComplete);
  await assertWhole();
});

test('a wrong byte costs its piece, and no other', async (t) => {
  const { board, bytes, bring, take, write, assertWhole } = await boardOf(t, 2 * PIECE);
  const taken = [];
  for (let at = 0; at < 8; at += 1) taken.push(await take());
  const wrong = Buffer.from(bytes);
  wrong.writeUInt8(wrong.readUInt8(SLICE_BYTES) ^ 1, SLICE_BYTES);
  const [first, second, ...others] = taken;
  if (!first || !second) throw new Error('two slices were to be taken');
  for (const slice of others) t.ok(await bring(slice));
  await write(second, wrong);
  t.ok(await board.verify(second));
  t.notOk(await bring(first), 'the last of its piece');
  t.notOk(board.isComplete);
  t.equal(board.bytes, PIECE, 'the other piece');
  const again = [first, await take(), await take(), await take()];
  t.same(
    again.map(({ start }) => start / SLICE_BYTES),
    [0, 1, 2, 3],
  );
  t.equal(await board.take(never), undefined);
  for (const slice of again) t.ok(await bring(slice));
  await assertWhole();
});

test('a piece of which a part is staged is verified as a whole, and the rest of it staged', async (t) => {
  const { bring, board, take, assertWhole } = await boardOf(t, 2 * PIECE, { staged: PIECE + 3 * SLICE_BYTES + 7 });
  t.equal(board.bytes, PIECE + 3 * SLICE_BYTES + 7);
  for (let at = 0; at < 4; at += 1) t.ok(await bring(await take()));
  await assertWhole();
});

test('no more comes than memory is there for, until what is first is staged', async (t) => {
  const { bring, take, board, assertWhole } = await boardOf(t, 7 * PIECE);
  const taken = [];
  for (let at = 0; at < 24; at += 1) taken.push(await take());
  const waiting = take();
  for (const slice of taken.slice(4)) await bring(slice);
  t.equal(await Promise.race([waiting, undefined]), undefined);
  for (const slice of taken.slice(0, 4)) await bring(slice);
  await bring(await waiting);
  for (let at = 0; at < 3; at += 1) await bring(await take());
  t.ok(board.isComplete);
  await assertWhole();
});

test('nothing more is begun while much is whole and cannot be staged', async (t) => {
  const { bring, take, assertWhole } = await boardOf(t, 3 * PIECE);
  const taken = [];
  for (let at = 0; at < 7; at += 1) taken.push(await take());
  for (const slice of taken.slice(1)) await bring(slice);
  const waiting = take();
  t.equal(await Promise.race([waiting, undefined]), undefined);
  for (const slice of taken.slice(0, 1)) await bring(slice);
  await bring(await waiting);
  for (let at = 0; at < 4; at += 1) await bring(await take());
  await assertWhole();
});

test('a slice that others wait for and that comes slowly goes on over another connection', async (t) => {
  const { bytes, bring, board, take, assertWhole } = await boardOf(t, 7 * PIECE);
  const taken = [];
  for (let at = 0; at < 24; at += 1) taken.push(await take());
  const [first, ...others] = taken;
  if (!first) throw new Error('a slice was to be taken');
  const silent = new Readable({ read: () => undefined });
  silent.push(bytes.subarray(0, 1000));
  const slow = first.bytes.write(silent, { ...(first.tooSlow && { signal: first.tooSlow }) });
  for (const slice of others) await bring(slice);
  board.look();
  t.notOk(first.tooSlow?.aborted, 'nobody waits for it');
  const waiting = take();
  await waitFor('it to be given up', () => {
    board.look();
    return first.tooSlow?.aborted;
  });
  await t.rejects(slow);
  board.giveBack(first);
  const again = await waiting;
  t.equal(again, first);
  t.equal(again.bytes.written, 1000, 'what has come of it stays');
  await bring(again);
  for (let at = 0; at < 4; at += 1) await bring(await take());
  await assertWhole();
});

test('no piece is begun once the memory is wanted elsewhere', async (t) => {
  const { bring, board, take, session, endSoon } = await boardOf(t, 3 * PIECE);
  await bring(await take());
  endSoon();
  for (let at = 0; at < 3; at += 1) await bring(await take());
  t.equal(await board.take(never), undefined);
  t.ok(board.isComplete);
  await board.settle();
  t.equal(session.size, PIECE);
  await board.end();
});

test('memory is divided among the transfers that may begin, and each has room for a piece', async (t) => {
  const shared = await config();
  const all = Array.from({ length: 7 }, () => new ReorderMemory(shared));
  const [first, second] = all;
  t.ok(first?.enter());
  let taken = 0;
  while (first?.take()) taken += 1;
  t.equal(taken, 4, 'beside others that wait, its share');
  for (const other of all.slice(1, 6)) t.ok(other.enter());
  t.notOk(all[6]?.enter(), 'all is divided');
  second?.leave();
  t.ok(all[6]?.enter());
  for (const each of all) each.end();
  const alone = new ReorderMemory(shared);
  alone.enter();
  taken = 0;
  while (alone.take()) taken += 1;
  t.equal(taken, 24);
  alone.end();
});
