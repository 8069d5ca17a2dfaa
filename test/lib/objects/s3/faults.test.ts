/** What S3 and the way there do wrong: answers that are lost, refusals, connections that end or fall silent. */
import { type Test, test } from 'tap';
import { ObjectStoreUnavailableError, ObjectTruncatedError, SessionGoneError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import {
  bytes,
  collect,
  get,
  hashesOf,
  MIB,
  pieces,
  put,
  same,
  sessionName,
} from '../../../conformance/objects/harness.ts';
import type { Fault } from '../../../doubles/s3/faults.ts';
import type { OperationName } from '../../../doubles/s3/operations.ts';
import { s3UnderTest } from '../../../engines/s3.ts';
import { waitFor } from '../../../helpers/wait.ts';

const LARGE = bytes(11 * MIB + 3);

interface Upload {
  readonly once?: boolean;
  readonly whole?: Buffer;
  readonly path?: string;
}

async function upload(store: ObjectStore, { once = false, whole = LARGE, path = 'x' }: Upload = {}): Promise<void> {
  const session = await store.open({ path, session: sessionName(), once });
  await session.append(pieces(whole));
  await session.commit();
}

async function unavailable(t: Test, call: Promise<unknown>, message: RegExp): Promise<void> {
  const error: unknown = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  t.type(error, ObjectStoreUnavailableError);
  t.match(error, { message });
}

const IN_AN_UPLOAD: readonly OperationName[] = [
  'UploadPart',
  'CompleteMultipartUpload',
  'CopyObject',
  'HeadObject',
  'DeleteObjects',
  'ListObjectsV2',
];

test('a page that something else answers with 200 is not taken for a store that has kept the bytes', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open();
  for (const [operation, whole, once] of [
    ['PutObject', bytes(10), true],
    ['CreateMultipartUpload', LARGE, true],
    ['UploadPart', LARGE, true],
    ['CompleteMultipartUpload', LARGE, true],
    ['CompleteMultipartUpload', LARGE, false],
  ] as const) {
    double.faults.plan(operation, { kind: 'page' }, 20);
    const session = await store.open({ path: operation, session: sessionName(), once });
    const uploaded = session.append(pieces(whole)).then(() => session.commit());
    await unavailable(t, uploaded, /the answer is not that of|no id in/);
    double.faults.clear();
    await session.discard();
    await upload(store, { once, whole, path: operation });
    same(t, await get(store, operation), whole, operation);
  }
});

test('nor is such a page read, or taken for an object, a list or a removal', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  await upload(store, { once: true, whole: bytes(10), path: 'd/x' });
  const cases: [OperationName[], string, () => Promise<unknown>][] = [
    [['HeadObject'], 'info', () => store.info('d/x')],
    [['GetObject'], 'read', () => get(store, 'd/x')],
    [['GetObject'], 'hash', () => store.hash('d/x')],
    [['GetObject'], 'identity', () => store.identity()],
    [['ListObjectsV2'], 'list', () => store.list('d')],
    [['ListObjectsV2'], 'removeTree', () => store.removeTree('d')],
    [['DeleteObject'], 'remove', () => store.remove('d/x')],
    [['DeleteObjects', 'DeleteObject'], 'removeTree', () => store.removeTree('d')],
  ];
  for (const [operations, name, call] of cases) {
    for (const operation of operations) double.faults.plan(operation, { kind: 'page' }, 20);
    await t.rejects(call(), ObjectStoreUnavailableError, `${name} without ${operations}`);
    double.faults.clear();
    same(t, await get(store, 'd/x'), bytes(10), name);
  }
  await store.remove('d/x');
  t.strictSame(await residue(), []);
});

test('an answer that is lost is asked for again, and the object is there once and whole', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  for (const operation of IN_AN_UPLOAD) {
    double.faults.plan(operation, { kind: 'lose' });
    await upload(store);
    same(t, await get(store, 'x'), LARGE, operation);
    t.strictSame(await residue(), [], operation);
    await store.remove('x');
  }
  double.faults.plan('CompleteMultipartUpload', { kind: 'lose' });
  await upload(store, { once: true });
  same(t, await get(store, 'x'), LARGE, 'straight to its key');
  double.faults.plan('PutObject', { kind: 'lose' });
  await upload(store, { whole: bytes(10) });
  same(t, await get(store, 'x'), bytes(10), 'in one piece');
  t.strictSame(await residue(), []);
});

test('an upload whose first answer was lost is found where the store lists uploads', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  double.faults.plan('CreateMultipartUpload', { kind: 'lose' });
  await upload(store);
  t.strictSame(await residue(), [
    'upload to p/dc/staging/'.concat([...double.bucket.uploads.values()][0]?.key.slice(13) ?? ''),
  ]);
  t.strictSame(await store.leftovers(), [], 'not yet');
  for (const leftover of await store.leftovers(-60_000)) await store.removeLeftover(leftover);
  t.strictSame(await residue(), []);
});

const PASSING: readonly Fault[] = [
  { kind: 'answer', status: 503, code: 'SlowDown' },
  { kind: 'answer', status: 500, code: 'InternalError' },
  { kind: 'answer', status: 502, code: 'BadGateway' },
  { kind: 'cut' },
];

test('what passes is tried again', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  for (const fault of PASSING) {
    for (const operation of [...IN_AN_UPLOAD, 'CreateMultipartUpload', 'GetObject'] as const) {
      double.faults.plan(operation, fault, 2);
    }
    await upload(store);
    same(t, await get(store, 'x'), LARGE, JSON.stringify(fault));
  }
  t.strictSame(await residue(), []);
});

test('what does not pass is told after a bounded number of attempts', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ attempts: 3 });
  double.faults.plan('HeadObject', { kind: 'answer', status: 503, code: 'SlowDown' }, 100);
  await unavailable(t, store.info('x'), /HeadObject failed: 503/);
  t.equal(double.asked.filter((name) => name === 'HeadObject').length, 3);
  double.faults.clear();
  double.faults.plan('PutObject', { kind: 'answer', status: 403, code: 'AccessDenied' }, 100);
  double.asked.length = 0;
  await unavailable(t, put(store, 'x', bytes(10)), /the credentials do not allow this in the bucket/);
  t.equal(double.asked.filter((name) => name === 'PutObject').length, 1, 'a refusal is final');
});

test('a bucket that is full is told as such', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open();
  double.faults.plan('PutObject', { kind: 'answer', status: 403, code: 'QuotaExceeded' });
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(10)));
  await t.rejects(session.commit(), {
    name: 'InsufficientStorageError',
    needed: 10,
    message: /403 QuotaExceeded.* quota is used up/,
  });
  await session.discard();
});

test('a store that does not answer keeps nobody beyond the deadline', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ attempts: 2, idle: 300, call: 1_000 });
  double.faults.plan('*', { kind: 'hang' }, 100);
  const begun = performance.now();
  await unavailable(t, store.info('x'), /HeadObject failed/);
  await unavailable(t, store.read('x'), /GetObject failed/);
  await unavailable(t, store.list('x'), /ListObjectsV2 failed/);
  t.ok(performance.now() - begun < 30_000);
  const abort = new AbortController();
  const patient = await open();
  const reading = patient.read('x', { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.rejects(reading, { message: 'enough' });
});

test('closing a session waits for its last bytes to be saved, but not for a store that does not answer', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open();
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(10)));
  double.faults.plan('PutObject', { kind: 'hang' }, 100);
  const begun = performance.now();
  await session.close();
  t.ok(performance.now() - begun < 20_000);
  t.equal(double.asked.filter((name) => name === 'PutObject').length, 1);
  double.faults.clear();
  await store.discard(session.session);
});

test('a read whose connection ends early or falls silent goes on where it stopped', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ idle: 300 });
  await upload(store);
  for (const silent of [false, true]) {
    double.faults.plan('GetObject', { kind: 'stop', after: 3 * MIB, silent }, 3);
    same(t, await get(store, 'x'), LARGE, `silent: ${silent}`);
    double.faults.plan('GetObject', { kind: 'stop', after: 3 * MIB, silent });
    same(t, await get(store, 'x', { start: MIB, end: 9 * MIB }), LARGE.subarray(MIB, 9 * MIB + 1), 'a part');
    double.faults.plan('GetObject', { kind: 'stop', after: 3 * MIB, silent });
    t.match(await store.hash('x'), hashesOf(LARGE));
  }
});

test('a read that cannot go on fails, never mixes two objects, and says of broken lines nothing about what is stored', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open();
  await upload(store);
  double.faults.plan('GetObject', { kind: 'stop', after: 3 * MIB });
  const { stream } = await store.read('x');
  await upload(store, { whole: bytes(11 * MIB + 3, 2) });
  await t.rejects(collect(stream), ObjectTruncatedError, 'another object');
  double.faults.plan('GetObject', { kind: 'stop', after: 0 }, 100);
  await unavailable(t, get(store, 'x'), /the answer ended \d+ bytes early/);
});

test('a store that ignores ranges gives no wrong bytes', async (t) => {
  const { double, open } = await s3UnderTest(t, { noRanges: true });
  const store = await open();
  await upload(store, { once: true });
  same(t, await get(store, 'x'), LARGE, 'a whole object');
  await unavailable(t, store.read('x', { start: 5 }), /the answer begins at 0, not at 5/);
  double.faults.plan('GetObject', { kind: 'stop', after: 3 * MIB });
  await unavailable(t, get(store, 'x'), /the answer begins at 0, not at \d+/);
});

test('a store that goes down in an upload loses nothing that was sent before', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open({ attempts: 2 });
  for (const once of [false, true]) {
    const session = await store.open({ path: 'x', session: sessionName(), once });
    await session.append(pieces(LARGE.subarray(0, 6 * MIB)));
    double.faults.plan('*', { kind: 'cut' }, 1000);
    const rest = session.append(pieces(LARGE.subarray(6 * MIB)));
    await rest
      .then(() => session.flush())
      .then(
        () => t.fail('nothing takes the bytes'),
        (error: unknown) => t.type(error, ObjectStoreUnavailableError),
      );
    await t.rejects(session.commit(), ObjectStoreUnavailableError);
    double.faults.clear();
    // What is on its way may still meet the end that it was on its way to.
    await waitFor('the parts', () => session.flush().catch(() => false as const));
    await session.append(pieces(LARGE.subarray(session.size)));
    t.strictSame(await session.hashes(), hashesOf(LARGE));
    await session.commit();
    same(t, await get(store, 'x'), LARGE, `once: ${once}`);
  }
  t.strictSame(await residue(), []);
});

test('a commit that fails between completing and copying can be made again, or taken over', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open({ attempts: 1 });
  const refuse = () => double.faults.plan('CopyObject', { kind: 'answer', status: 500, code: 'InternalError' });
  const again = await store.open({ path: 'x', session: sessionName() });
  await again.append(pieces(LARGE));
  refuse();
  await t.rejects(again.commit(), ObjectStoreUnavailableError);
  t.equal(await store.info('x'), undefined);
  await again.commit();
  same(t, await get(store, 'x'), LARGE, 'again');
  const left = await store.open({ path: 'y', session: sessionName() });
  await left.append(pieces(LARGE));
  refuse();
  await t.rejects(left.commit(), ObjectStoreUnavailableError);
  await left.close();
  const other = await open();
  const taker = await other.open({ path: 'y', session: sessionName(), takeOver: { session: left.session } });
  t.equal(taker.size, LARGE.length);
  await taker.commit();
  await other.discard(left.session);
  same(t, await get(store, 'y'), LARGE, 'taken over');
  t.strictSame(await residue(), []);
});

test('a process that dies in its commit holds others up only until its claim runs out', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const dying = await open({ claim: 60_000 });
  const other = await open();
  const session = await dying.open({ path: 'x', session: sessionName() });
  await session.append(pieces(LARGE));
  const end = Promise.withResolvers<void>();
  double.faults.plan('CompleteMultipartUpload', { kind: 'wait', until: end.promise });
  const commit = session.commit();
  commit.catch(() => undefined);
  await waitFor('the commit', () => double.asked.includes('CompleteMultipartUpload'));
  let isDiscarded = false;
  const discard = other.discard(session.session).then(() => {
    isDiscarded = true;
  });
  t.notOk(isDiscarded, 'it waits for the commit');
  end.resolve();
  await Promise.all([commit, discard]);
  same(t, await get(other, 'x'), LARGE, 'the commit was first');
  t.strictSame(await residue(), []);
});

test('what was sent whole and never answered may come late, and so nobody ends its session before the claim does', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open({ attempts: 2, idle: 200, call: 500, claim: 5_000 });
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(10)));
  const end = Promise.withResolvers<void>();
  double.faults.plan('PutObject', { kind: 'wait', until: end.promise });
  double.faults.plan('PutObject', { kind: 'answer', status: 503, code: 'SlowDown' });
  await unavailable(t, session.commit(), /PutObject failed/);
  const discard = session.discard().then(() => 'discarded');
  const aWhile = new Promise((resolve) => setTimeout(resolve, 1_000, 'waits'));
  t.equal(await Promise.race([discard, aWhile]), 'waits');
  end.resolve();
  await discard;
  t.match(await store.info('x'), { size: 10 }, 'it came before the discard returned');
  await store.remove('x');
  t.strictSame(await residue(), []);
});

async function isFencedByTheStore(t: Test, claim: number): Promise<void> {
  const { double, open, residue } = await s3UnderTest(t);
  const frozen = await open({ claim });
  const other = await open();
  for (const once of [false, true]) {
    const session = await frozen.open({ path: 'x', session: sessionName(), once });
    await session.append(pieces(LARGE));
    const end = Promise.withResolvers<void>();
    double.faults.plan('CompleteMultipartUpload', { kind: 'wait', until: end.promise });
    double.asked.length = 0;
    const commit = session.commit();
    commit.catch(() => undefined);
    await waitFor('the commit', () => double.asked.includes('CompleteMultipartUpload'));
    await other.discard(session.session);
    end.resolve();
    await t.rejects(commit, SessionGoneError, `once: ${once}`);
    await session.close();
    t.equal(await other.info('x'), undefined);
  }
  t.strictSame(await residue(), []);
}

test('a commit that outlives its claim is fenced by the store itself', async (t) => {
  // As of a process that stands still: it does not renew its claim.
  await isFencedByTheStore(t, 0);
});

test('a claim that was made by a clock that was far ahead holds nobody up', async (t) => {
  await isFencedByTheStore(t, 1e9);
});

test('bytes that are being saved while another process discards their session do not stay', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const [writer, other] = [await open(), await open()];
  const name = sessionName();
  const session = await writer.open({ path: 'x', session: name });
  await session.append(pieces(bytes(1000)));
  const held = Promise.withResolvers<void>();
  double.faults.plan('PutObject', { kind: 'wait', until: held.promise });
  const saving = t.rejects(session.flush(), SessionGoneError);
  await waitFor('the bytes to be on the way', () => double.asked.includes('PutObject'));
  await other.discard(name);
  held.resolve();
  await saving;
  t.strictSame(await residue(), []);
});
