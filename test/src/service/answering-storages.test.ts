/** Stores are asked whether they answer by one question at a time, which costs a disk that hangs one thread. */
import { test } from 'tap';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { promptFree, promptIdentity } from '#src/service/answering-storages.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

/** Longer than a connection is waited for that may be lost (ms). */
const LONG = 60_000;

/** A store of this machine, whose calls go to a file server that hangs until it is back. */
async function onFileServer(t: Parameters<typeof startInProcess>[0]) {
  const { imgapi } = await startInProcess(t);
  const [local] = [...imgapi.service.storages];
  if (!local) throw new Error('there is no store');
  const calls = { begun: 0, back: Promise.withResolvers<void>() };
  const hanging = (name: 'identity' | 'free') => ({
    async value() {
      calls.begun += 1;
      await calls.back.promise;
      return local[name]();
    },
  });
  const store: ObjectStore = Object.create(local, { identity: hanging('identity'), free: hanging('free') });
  return { store, local, calls };
}

test('of a disk that hangs one look is under way, however long and by whomever it is asked', async (t) => {
  const { store, local, calls } = await onFileServer(t);
  const now = performance.now.bind(performance);
  for (const passed of [0, LONG, 2 * LONG]) {
    const { restore } = t.intercept(performance, 'now', { value: () => now() + passed });
    const [identity, free] = await Promise.allSettled([promptIdentity(store), promptFree(store)]);
    restore();
    t.match(identity, { status: 'rejected', reason: { message: /"local" did not answer/ } });
    t.match(free, { status: 'fulfilled', value: undefined });
  }
  t.equal(calls.begun, 1);
  calls.back.resolve();
  t.equal(await promptIdentity(store), await local.identity(), 'and once it is back it answers');
  t.type(await promptFree(store), 'number');
});
