/** How long others have to wait for a commit that failed: only for what may still make an object. */
import { test } from 'tap';
import { ObjectStoreUnavailableError, SessionGoneError } from '#lib/objects/errors.ts';
import { STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import { bytes, MIB, openOnce, pieces } from '../../conformance/objects/harness.ts';
import { answering } from '../../doubles/manta/faults.ts';
import { type HurriedManta, hurriedManta, MANTA_MODES } from '../../engines/manta.ts';
import { waitFor } from '../../helpers/wait.ts';

const V1 = MANTA_MODES['Manta v1'];
const V2 = MANTA_MODES['Manta v2'];
const V2_UPLOADS = MANTA_MODES['Manta v2 with uploads'];

test('a commit that certainly made nothing lets its session be discarded at once, and one that may have does not', async (t) => {
  const cases = [
    { mode: V1, size: 9 * MIB, method: 'PUT', step: /\/x$/, silence: 'hang' },
    { mode: V2, size: 9 * MIB, method: 'PUT', step: /\/x$/, silence: 'swallow' },
    { mode: V2, size: 0, method: 'PUT', step: /\/x$/, silence: 'swallow' },
    { mode: V2_UPLOADS, size: MIB, method: 'PUT', step: /\/x$/, silence: 'swallow' },
    { mode: V2_UPLOADS, size: 9 * MIB, method: 'POST', step: /commit$/, silence: 'hang' },
  ] as const;
  const isPlacing = async ({ documents }: HurriedManta): Promise<boolean> => {
    const [{ value } = {}] = await documents.find(STAGED_SESSIONS, {});
    return JSON.stringify(value).includes('placingUntil');
  };
  for (const { mode, size, method, step, silence } of cases) {
    const made = await hurriedManta(t, mode);
    const { store, double, residue } = made;
    const what = `${method} ${step} of ${size}`;
    const session = await openOnce(store, 'x', size);
    await session.append(pieces(bytes(size)));
    await session.flush();
    await double.stop();
    await t.rejects(session.commit(), ObjectStoreUnavailableError, what);
    t.equal(await isPlacing(made), false, `${what}: nobody there`);
    await double.start();
    double.faults.add(method, step, answering(503, 'ServiceUnavailable'), 4);
    await t.rejects(session.commit(), ObjectStoreUnavailableError, what);
    t.equal(await isPlacing(made), false, `${what}: refused`);
    double.faults.clear();
    // The first one may find no directory.
    double.faults.add(method, step, { kind: silence }, 2);
    double.faults.add(method, step, answering(503, 'ServiceUnavailable'), 4);
    await t.rejects(session.commit(), ObjectStoreUnavailableError, what);
    t.equal(await isPlacing(made), true, `${what}: silent, then refused`);
    double.faults.clear();
    await session.commit();
    t.strictSame(await residue(), []);
  }
});

test('a commit whose pieces are discarded while it reads them says that its session is gone, and leaves no folder', async (t) => {
  const { store, double, open, residue } = await hurriedManta(t, V2);
  const other = await open();
  const session = await openOnce(store, 'below/x', MIB);
  await session.append(pieces(bytes(MIB)));
  await session.flush();
  double.faults.add('GET', /\/staging\/.*\/0+$/, { kind: 'hang' });
  const commit = session.commit();
  await Promise.all([
    t.rejects(commit, SessionGoneError),
    waitFor('the reading to begin', () => double.faults.applied === 1).then(() => other.discard(session.session)),
  ]);
  t.strictSame(await residue(), []);
});
