/** Sessions that are to end while they wait for the memory for parts, which others have. */
import { type Test, test } from 'tap';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { bytes, get, MIB, pieces, same, sessionName } from '../../conformance/objects/harness.ts';
import { MANTA_MODES, mantaUnderTest } from '../../engines/manta.ts';
import { s3UnderTest } from '../../engines/s3.ts';
import { waitFor } from '../../helpers/wait.ts';

const STORES = {
  // With so much patience that nobody has to give memory up.
  S3: async (t: Test) => (await s3UnderTest(t)).open({ patience: 600_000, buffers: 10 * MIB }),
  Manta: async (t: Test) => (await mantaUnderTest(t, MANTA_MODES['Manta v2'])).open(),
};
const BLOCKS = { S3: 2, Manta: 12 };

/** Sends a byte, and nothing more until it is told to end. */
async function* slow(end: Promise<unknown>): AsyncGenerator<Uint8Array> {
  yield bytes(1);
  await end;
}

/** As many sessions as there are blocks, each with one of them. */
async function useUp(t: Test, store: ObjectStore, blocks: number): Promise<() => Promise<unknown>> {
  const end = Promise.withResolvers<void>();
  const sessions = await Promise.all(
    Array.from({ length: blocks }, (_, i) => store.open({ path: `slow/${i}`, session: sessionName() })),
  );
  const began = new Set<number>();
  const appends = sessions.map((session, i) => session.append(slow(end.promise), { onProgress: () => began.add(i) }));
  if (store.name === 's3') await waitFor('each to have a block', () => began.size === blocks);
  t.teardown(() => end.resolve());
  return async () => {
    end.resolve();
    await Promise.all(appends);
    await Promise.all(sessions.map((session) => session.discard()));
  };
}

for (const name of ['S3', 'Manta'] as const) {
  test(`a session of ${name} that waits for memory leaves the line when its signal aborts or it is discarded`, async (t) => {
    const store = await STORES[name](t);
    const free = await useUp(t, store, BLOCKS[name]);
    const whole = bytes(MIB);
    const asked = Promise.withResolvers<void>();
    async function* source() {
      asked.resolve();
      yield* pieces(whole);
    }
    const [aborted, discarded] = [await open(store, 'x'), await open(store, 'y')];
    const client = new AbortController();
    const first = aborted.append(source(), { signal: client.signal });
    const other = discarded.append(pieces(whole));
    await asked.promise;
    await new Promise(setImmediate);
    client.abort(new Error('the client is gone'));
    await Promise.all([t.rejects(first, /the client is gone/), t.rejects(other, /being closed/), discarded.discard()]);
    await free();
    await aborted.append(pieces(whole));
    await aborted.commit();
    same(t, await get(store, 'x'), whole, 'it goes on later');
  });
}

function open(store: ObjectStore, path: string) {
  return store.open({ path, session: sessionName() });
}
