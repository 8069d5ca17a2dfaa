/** Stores on a Manta that is stopped, hangs, cuts connections, loses answers, refuses or is full. */
import { Readable } from 'node:stream';
import { test } from 'tap';
import { InsufficientStorageError, ObjectStoreUnavailableError, UnsupportedError } from '#lib/objects/errors.ts';
import {
  bytes,
  collect,
  get,
  MIB,
  openOnce,
  pieces,
  put,
  same,
  sessionName,
} from '../../conformance/objects/harness.ts';
import { answering, type Fault } from '../../doubles/manta/faults.ts';
import { hurriedManta, MANTA_MODES, mantaUnderTest } from '../../engines/manta.ts';
import { waitFor } from '../../helpers/wait.ts';

const V1 = MANTA_MODES['Manta v1'];
const V2 = MANTA_MODES['Manta v2'];
const V2_UPLOADS = MANTA_MODES['Manta v2 with uploads'];
const ROOT = '/admin/stor/imgapi/us-own-1';
const PIECE = /\/staging\/.*\/\d+$/;

const LOST: Fault = { kind: 'lose answer' };
const HANG: Fault = { kind: 'hang' };
const RESET: Fault = { kind: 'reset' };

for (const fault of [LOST, HANG, RESET, { kind: 'cut', after: 100_000 } as const]) {
  test(`a piece whose upload meets "${fault.kind}" is sent again`, async (t) => {
    const { store, double, residue } = await hurriedManta(t, V2);
    const whole = bytes(10 * MIB);
    double.faults.add('PUT', PIECE, fault, 2);
    const session = await store.open({ path: 'x', session: sessionName() });
    await session.append(pieces(whole));
    await session.commit();
    t.equal(double.faults.applied, 2);
    same(t, await get(store, 'x'), whole, 'read');
    t.strictSame(await residue(), []);
  });

  test(`an object whose last step meets "${fault.kind}" is there once`, async (t) => {
    const cases = [
      { mode: V1, method: 'PUT', step: new RegExp(`^${ROOT}/d/x$`) },
      { mode: V2, method: 'PUT', step: new RegExp(`^${ROOT}/d/x$`) },
      { mode: V2_UPLOADS, method: 'POST', step: /commit$/ },
    ];
    for (const { mode, method, step } of cases) {
      const { store, double, residue } = await hurriedManta(t, mode);
      const whole = bytes(9 * MIB);
      double.faults.add(method, step, fault);
      const session = await openOnce(store, 'd/x', whole.length);
      await session.append(pieces(whole));
      t.match(await session.commit(), { size: whole.length, mtime: Date });
      same(t, await get(store, 'd/x'), whole, method);
      t.strictSame(await residue(), []);
    }
  });
}

test('an upload goes on when Manta comes back while it is waited for', async (t) => {
  const { store, double, residue } = await hurriedManta(t, V2);
  const whole = bytes(9 * MIB);
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(whole.subarray(0, MIB)));
  await double.stop();
  const appending = session.append(pieces(whole.subarray(MIB)));
  await double.start();
  await appending;
  await session.commit();
  same(t, await get(store, 'x'), whole, 'read');
  t.strictSame(await residue(), []);
});

test('one that Manta does not come back for keeps what was staged, for whoever goes on', async (t) => {
  const { store, double, open, residue } = await hurriedManta(t, V2);
  const whole = bytes(20 * MIB);
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(whole.subarray(0, 9 * MIB)));
  await double.stop();
  await t.rejects(session.append(pieces(whole.subarray(9 * MIB))), ObjectStoreUnavailableError);
  t.equal(session.size, 9 * MIB, 'what is known to be there');
  await session.close();
  await double.start();
  const other = await open();
  const takeOver = { session: session.session };
  const later = await other.open({ path: 'x', session: sessionName(), takeOver });
  t.equal(later.size, 9 * MIB);
  await later.append(pieces(whole.subarray(later.size)));
  await later.commit();
  await other.discard(session.session);
  same(t, await get(other, 'x'), whole, 'read');
  t.strictSame(await residue(), []);
});

test('a commit that Manta does not hear can be made again', async (t) => {
  for (const mode of [V1, V2, V2_UPLOADS]) {
    const { store, double, residue } = await hurriedManta(t, mode);
    const session = await openOnce(store, 'x', 9 * MIB);
    await session.append(pieces(bytes(9 * MIB)));
    await session.flush();
    await double.stop();
    await t.rejects(session.commit(), ObjectStoreUnavailableError);
    await double.start();
    await session.commit();
    same(t, await get(store, 'x'), bytes(9 * MIB), 'read');
    t.strictSame(await residue(), []);
  }
});

test('bytes that were sent once are lost with their connection, and the session says so', async (t) => {
  const { store, double, residue } = await hurriedManta(t, V1);
  double.faults.add('PUT', PIECE, { kind: 'cut', after: MIB }, 2);
  const session = await openOnce(store, 'x', 30 * MIB);
  const lost = { name: 'ObjectStoreUnavailableError', message: /bytes of the session are lost/ };
  await t.rejects(session.append(pieces(bytes(30 * MIB))), lost);
  await t.rejects(session.append(pieces(bytes(1))), lost);
  await session.discard();
  t.strictSame(await residue(), []);
});

test('a Manta that says that it has an object which it was not sent keeps nobody waiting', async (t) => {
  const { store, double, residue } = await hurriedManta(t, V1);
  double.faults.add('PUT', PIECE, { kind: 'answer', status: 204, body: '' });
  const session = await openOnce(store, 'x', 30 * MIB);
  await t.rejects(session.append(pieces(bytes(MIB))), {
    name: 'ObjectStoreUnavailableError',
    message: /bytes of the session are lost: Manta answered before it had all bytes/,
  });
  await session.discard();
  t.strictSame(await residue(), []);
});

test('a Manta that never answers is given up, whatever was asked, and no connection stays', async (t) => {
  const { store, double } = await hurriedManta(t, V1);
  await put(store, 'd/x', bytes(10));
  const calls: Record<string, () => Promise<unknown>> = {
    info: () => store.info('d/x'),
    read: () => store.read('d/x'),
    list: () => store.list('d'),
    link: () => store.link('d/x', 'd/y'),
    remove: () => store.remove('d/x'),
    removeTree: () => store.removeTree('d'),
    identity: () => store.identity(),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const method of ['HEAD', 'GET', 'PUT', 'DELETE']) double.faults.add(method, /./, HANG, 100);
    await t.rejects(call(), { name: 'ObjectStoreUnavailableError', message: /did not answer|did nothing/ }, name);
    double.faults.clear();
  }
  same(t, await get(store, 'd/x'), bytes(10), 'afterwards');
  await store.close();
  await waitFor('the connections to go', () => double.connections === 0);
});

test('a download goes on where its connection was cut or fell silent', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  const whole = bytes(3 * MIB);
  await put(store, 'x', whole);
  for (const kind of ['cut', 'stall'] as const) {
    double.requests.length = 0;
    double.faults.add('GET', /x$/, { kind, after: MIB }, 2);
    same(t, await get(store, 'x'), whole, kind);
    same(
      t,
      await get(store, 'x', { start: 100, end: 2 * MIB }),
      whole.subarray(100, 2 * MIB + 1),
      `${kind} in a range`,
    );
    t.equal(double.requests.filter((request) => request.startsWith('GET')).length, 4);
  }
});

test('a download of an object that was replaced meanwhile fails rather than mixing the two', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  await put(store, 'x', bytes(40 * MIB));
  // More than the buffers between hold, so that the connection is cut when the reader goes on.
  double.faults.add('GET', /x$/, { kind: 'cut', after: 32 * MIB });
  const { stream } = await store.read('x');
  const iterator = stream.iterator({ destroyOnReturn: false });
  await iterator.next();
  await put(store, 'x', bytes(3 * MIB, 2));
  await t.rejects(collect(stream), { name: 'ObjectStoreUnavailableError', message: /412|416/ });
});

test('a reader who takes nothing for long is not cut off', async (t) => {
  const { store } = await hurriedManta(t, V2);
  const whole = bytes(24 * MIB);
  await put(store, 'x', whole);
  const { stream } = await store.read('x');
  const iterator = stream.iterator({ destroyOnReturn: false });
  const first = await iterator.next();
  // Longer than the store waits for Manta.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  same(t, Buffer.concat([first.value, await collect(stream)]), whole, 'read');
});

test('an abort ends an upload and a download that Manta lets wait', async (t) => {
  const { double, open } = await hurriedManta(t, V2);
  const patient = await open('us-own-1', { timeout: 60_000 });
  await put(patient, 'x', bytes(10));
  const abort = new AbortController();
  double.faults.add('GET', /x$/, HANG);
  const reading = patient.read('x', { signal: abort.signal });
  await waitFor('the request', () => double.requests.at(-1)?.startsWith('GET'));
  abort.abort(new Error('enough'));
  await t.rejects(reading, { message: 'enough' });
});

test('a 503 is tried again, but not for longer than it is worth', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  double.faults.add('GET', /x$/, answering(503, 'ServiceUnavailable'), 2);
  await put(store, 'x', bytes(10));
  same(t, await get(store, 'x'), bytes(10), 'in the end');
  double.requests.length = 0;
  double.faults.add('GET', /x$/, answering(503, 'InternalError', { 'retry-after': '30' }));
  await t.rejects(store.read('x'), { name: 'ObjectStoreUnavailableError', message: /503 InternalError/ });
  t.equal(double.requests.length, 1, 'nobody waits for half a minute');
  double.faults.add('GET', /x$/, { kind: 'answer', status: 502, body: '<html>bad gateway</html>' }, 9);
  await t.rejects(store.read('x'), { message: /502/ });
});

test('refusals say what an operator should do, and are not repeated', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  const cases = [
    [403, 'KeyDoesNotExist', /public key of manta\.key/],
    [403, 'AccountBlocked', /is blocked/],
    [403, 'NoMatchingRoleTag', /needs a role/],
    [403, 'InvalidSignature', /must be the private key/],
    [403, 'SecureTransportRequired', /must begin with https/],
    [401, 'InvalidAlgorithm', /use an RSA key/],
  ] as const;
  for (const [status, code, message] of cases) {
    double.requests.length = 0;
    double.faults.add('GET', /./, answering(status, code));
    await t.rejects(store.read('x'), { name: 'ObjectStoreUnavailableError', message }, code);
    t.equal(double.requests.length, 1);
  }
});

test('clocks that differ are named', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  double.ahead = 400_000;
  const skew = { name: 'ObjectStoreUnavailableError', message: /clock skew .*clock of this machine, or that of Manta/ };
  await t.rejects(store.read('x'), skew);
  await t.rejects(
    store.list('x').then(() => store.removeTree('x')),
    ObjectStoreUnavailableError,
  );
  double.ahead = 0;
  t.strictSame(await store.list(''), []);
});

test('a Manta that is full, and a directory that is, leave the session to be discarded', async (t) => {
  const { store, double, residue } = await hurriedManta(t, V2);
  double.faults.add('PUT', PIECE, answering(507, 'NotEnoughSpace'));
  const full = await store.open({ path: 'x', session: sessionName() });
  await t.rejects(full.append(pieces(bytes(10))), InsufficientStorageError);
  await full.discard();
  double.faults.add('PUT', /x$/, answering(409, 'DirectoryLimitExceeded'));
  const crowded = await store.open({ path: 'x', session: sessionName() });
  await crowded.append(pieces(bytes(10)));
  await t.rejects(crowded.commit(), { message: /DirectoryLimitExceeded.*a million entries/ });
  await crowded.discard();
  t.strictSame(await residue(), []);
});

test('a Manta that was upgraded to version 2 meanwhile needs no snaplinks', async (t) => {
  const { store, double, residue } = await hurriedManta(t, V1);
  const refuse = () => double.faults.add('PUT', /[xy]$/, answering(403, 'SnaplinksDisabledError'));
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(10)));
  refuse();
  await session.commit();
  same(t, await get(store, 'x'), bytes(10), 'joined');
  refuse();
  await t.rejects(store.link('x', 'y'), UnsupportedError);
  t.strictSame(await residue(), []);
});

test('staged bytes that no session stands for are leftovers once they are old', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  await put(store, 'x', bytes(1));
  double.tree.put(['admin', 'stor', 'imgapi', 'us-own-1', 'staging', 'lost'], {
    kind: 'directory',
    mtime: new Date(Date.now() - 7_200_000),
    children: new Map(),
  });
  t.match(await store.leftovers(), [{ session: '~lost', size: 0 }]);
  t.strictSame(await store.leftovers(10_800_000), []);
  await t.rejects(store.removeLeftover({ session: 'lost', size: 0, mtime: new Date() }), {
    name: 'InvalidSessionNameError',
  });
  const [leftover] = await store.leftovers();
  if (leftover) await store.removeLeftover(leftover);
  t.strictSame(await store.leftovers(), []);
});

test('many uploads at once share little memory, and a slow one stops none of them', async (t) => {
  const { open, residue } = await mantaUnderTest(t, V2);
  const store = await open('us-own-1', { timeout: 60_000 });
  const slow = new Readable({ read() {} });
  slow.push(bytes(100));
  const waiting = await store.open({ path: 'slow', session: sessionName() });
  const appending = waiting.append(slow);
  await Promise.all(
    Array.from({ length: 20 }, async (_, seed) => {
      const session = await store.open({ path: `many/${seed}`, session: sessionName() });
      await session.append(pieces(bytes(3 * MIB, seed)));
      await session.commit();
      same(t, await get(store, `many/${seed}`), bytes(3 * MIB, seed), `${seed}`);
    }),
  );
  slow.push(bytes(50, 2));
  slow.push(null);
  await appending;
  await waiting.commit();
  t.equal((await store.info('slow'))?.size, 150);
  t.strictSame(await residue(), []);
});

test('keys are never shown', async (t) => {
  const { store, double } = await hurriedManta(t, V2);
  double.faults.add('GET', /./, answering(403, 'InvalidSignature'));
  const error = await store.read('x').catch((cause: Error) => cause);
  const shown = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
  t.notMatch(shown, /PRIVATE|signature="/);
});
