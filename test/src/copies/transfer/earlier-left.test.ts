/** What an earlier attempt staged cannot be removed when the next one has taken it over. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'tap';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { cannotCountFiles, openFiles } from '../../../helpers/open-files.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { copyPair, ended, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;

/** Removes no staging as long as it is told so. */
function stubborn(store: ObjectStore, isStubborn: () => boolean): ObjectStore {
  const discard = async (session: string): Promise<void> => {
    if (isStubborn()) throw new ObjectStoreUnavailableError('nothing can be removed');
    await store.discard(session);
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === 'discard') return discard;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

for (const [how, size] of [
  ['as one stream', 6 * MIB],
  ['in pieces', 40 * MIB],
] as const) {
  test(`a copy ${how} holds nothing of attempts that cannot remove what was staged before`, {
    skip: cannotCountFiles,
  }, async (t) => {
    let isStubborn = false;
    const storage = (local: ObjectStore) => stubborn(local, () => isStubborn);
    const pair = await copyPair(t, { stallSeconds: 60, leaseSeconds: 60 }, { dest: { storage } });
    const { service, network } = pair;
    const { record } = await putImage(pair.source, ALICE, {}, randomBytes(size));
    network.trouble = { kind: 'line', rtt: 5, bytesPerSecond: size / 4 };
    const { uuid: order } = await pair.copy(record.uuid);
    const transfer = async () => (await transferOf(service, record.uuid)) ?? { attempt: 0, bytes: 0 };
    const first = pair.engine();
    await waitFor('bytes', async () => (await transfer()).bytes > size / 4);
    await first.stop();
    isStubborn = true;
    const second = pair.engine();
    await waitFor('some attempts to fail', async () => (await transfer()).attempt > 4);
    network.trouble = { kind: 'none' };
    isStubborn = false;
    t.equal((await ended(service, order)).state, 'succeeded');
    await second.stop();
    t.same(await openFiles(join(service.config.dataDir, 'storage')), []);
  });
}
