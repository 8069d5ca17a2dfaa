/** A session that cannot be discarded, because the store is down. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { bytes, MIB, pieces, sessionName } from '../../../conformance/objects/harness.ts';
import type { Fault } from '../../../doubles/s3/faults.ts';
import { s3UnderTest } from '../../../engines/s3.ts';
import { waitFor } from '../../../helpers/wait.ts';

const DOWN: Fault = { kind: 'answer', status: 503, code: 'ServiceUnavailable' };

test('of a session that cannot be discarded nothing is kept, and it can be discarded later', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  const name = sessionName();
  const whole = bytes(6 * MIB);
  const failed = async () => {
    const session = await store.open({ path: 'x', session: name });
    await session.append(pieces(whole));
    double.faults.plan('AbortMultipartUpload', DOWN, 1000);
    await t.rejects(session.discard(), ObjectStoreUnavailableError);
    await t.rejects(session.append(pieces(whole)), { name: 'SessionStateError' });
    await t.rejects(session.discard(), ObjectStoreUnavailableError);
    return new WeakRef(session);
  };
  const session = await failed();
  await waitFor('it to be forgotten', async () => {
    collectGarbage();
    return session.deref() === undefined;
  });
  double.faults.clear();
  t.not((await residue()).length, 0);
  await store.discard(name);
  t.strictSame(await residue(), []);
});

test('a session that could not give its memory up while the store was down ends without trying it again and again', async (t) => {
  const { double, open } = await s3UnderTest(t);
  const store = await open({ patience: 5, buffers: 5 * MIB });
  const idle = await store.open({ path: 'x', session: sessionName() });
  const begun = Promise.withResolvers<void>();
  async function* source() {
    yield bytes(1000);
    begun.resolve();
    await new Promise(() => undefined);
  }
  const appended = t.rejects(idle.append(source()), /being closed/);
  await begun.promise;
  double.faults.plan('PutObject', DOWN, Number.POSITIVE_INFINITY);
  const other = await store.open({ path: 'y', session: sessionName() });
  const waiting = t.rejects(other.append(pieces(bytes(1000))), /being closed/);
  const puts = () => double.asked.filter((operation) => operation === 'PutObject').length;
  // As often as one call is attempted, ten times.
  await waitFor('it to be asked for its memory', () => puts() >= 50);
  await other.discard();
  const before = puts();
  await idle.discard();
  t.ok(puts() - before <= 10, `${puts() - before} requests`);
  await Promise.all([appended, waiting]);
});
