/** Stores whose Manta is none, or does not keep what it was sent. */
import { test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { bytes, get, MIB, openOnce, pieces, put, same } from '../../conformance/objects/harness.ts';
import type { Fault } from '../../doubles/manta/faults.ts';
import { hurriedManta, MANTA_MODES } from '../../engines/manta.ts';

const V1 = MANTA_MODES['Manta v1'];
const V2 = MANTA_MODES['Manta v2'];
const V2_UPLOADS = MANTA_MODES['Manta v2 with uploads'];
const PIECE = /\/staging\/.*\/\d+$/;

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
      const { store, double } = await hurriedManta(t, mode);
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
      for (const method of ['HEAD', 'GET', 'PUT', 'DELETE']) double.faults.add(method, /./, page, 100);
      await t.rejects(call(), ObjectStoreUnavailableError, name);
      double.faults.clear();
    }
    same(t, await get(store, 'd/x'), bytes(10), 'afterwards');
  });
}

test('a Manta that stored other bytes than flowed to it is not believed', async (t) => {
  const { store, double } = await hurriedManta(t, V1);
  double.faults.add('PUT', PIECE, { kind: 'spoil' }, 2);
  const session = await openOnce(store, 'x', 100);
  await session.append(pieces(bytes(100)));
  await t.rejects(session.commit(), { name: 'ObjectStoreUnavailableError', message: /stored other bytes/ });
  t.equal(await store.info('x'), undefined);
  await session.discard();
});
