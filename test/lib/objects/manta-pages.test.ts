/** Stores whose Manta is none, or does not keep what it was sent. */
import { type Test, test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import type { ObjectStore, WriteSession } from '#lib/objects/object-store.ts';
import { bytes, get, MIB, pieces, put, same, sessionName } from '../../conformance/objects/harness.ts';
import type { Fault } from '../../doubles/manta/faults.ts';
import { MANTA_MODES, type MantaUnderTest, mantaUnderTest } from '../../engines/manta.ts';

const V1 = MANTA_MODES['Manta v1'];
const V2 = MANTA_MODES['Manta v2'];
const V2_UPLOADS = MANTA_MODES['Manta v2 with uploads'];
const PIECE = /\/staging\/.*\/\d+$/;

interface Made extends MantaUnderTest {
  readonly store: ObjectStore;
}

async function make(t: Test, mode: (typeof MANTA_MODES)[keyof typeof MANTA_MODES]): Promise<Made> {
  const made = await mantaUnderTest(t, mode);
  return { ...made, store: await made.open('us-own-1', { timeout: 500 }) };
}

function openOnce(store: ObjectStore, path: string, expect: number): Promise<WriteSession> {
  return store.open({ path, session: sessionName(), once: true, expect });
}

/** What stands in Manta's place, such as the sign-in page of a proxy, which answers whatever it is asked. */
const PAGES: readonly Fault[] = [
  { kind: 'answer', status: 200, body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } },
  { kind: 'answer', status: 302, body: '', headers: { location: 'http://sign-in.example.com/' } },
];

for (const page of PAGES) {
  const { status } = page as { status: number };
  test(`a page that something else answers with ${status} is taken for nothing that Manta does`, async (t) => {
    const steps = [
      { mode: V1, method: 'PUT', step: PIECE },
      { mode: V1, method: 'PUT', step: /d\/x$/ },
      { mode: V2, method: 'PUT', step: PIECE },
      { mode: V2, method: 'PUT', step: /d\/x$/ },
      { mode: V2_UPLOADS, method: 'POST', step: /\/uploads$/ },
      { mode: V2_UPLOADS, method: 'PUT', step: /\/uploads\/.*\/0$/ },
      { mode: V2_UPLOADS, method: 'POST', step: /commit$/ },
    ];
    for (const { mode, method, step } of steps) {
      const { store, double } = await make(t, mode);
      const whole = bytes(9 * MIB);
      double.faults.add(method, step, page, 20);
      const session = await openOnce(store, 'd/x', whole.length);
      const uploaded = session.append(pieces(whole)).then(() => session.commit());
      await t.rejects(uploaded, ObjectStoreUnavailableError, `${method} ${step}`);
      double.faults.clear();
      t.equal(await store.info('d/x'), undefined);
      await session.close();
    }
  });

  test(`nor is one that is answered with ${status} read, removed or listed`, async (t) => {
    const { store, double } = await make(t, V1);
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
      for (const method of ['HEAD', 'GET', 'PUT', 'DELETE']) double.faults.add(method, /./, page, 100);
      await t.rejects(call(), ObjectStoreUnavailableError, name);
      double.faults.clear();
    }
    same(t, await get(store, 'd/x'), bytes(10), 'afterwards');
  });
}

test('a Manta that stored other bytes than flowed to it is not believed', async (t) => {
  const { store, double } = await make(t, V1);
  double.faults.add('PUT', PIECE, { kind: 'spoil' }, 2);
  const session = await openOnce(store, 'x', 100);
  await session.append(pieces(bytes(100)));
  await t.rejects(session.commit(), { name: 'ObjectStoreUnavailableError', message: /stored other bytes/ });
  t.equal(await store.info('x'), undefined);
  await session.discard();
});
