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
