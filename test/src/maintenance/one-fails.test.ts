/** One thing that fails keeps no other from its turn: in the background, and when files are verified. */
import { Readable } from 'node:stream';
import { test } from 'tap';
import { imageObjectDirectory, imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { listFindings } from '#src/images/files/findings.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { buried, finishDeletes } from '#src/images/record/tombstones.ts';
import { carryOutSweep, planSweep } from '#src/maintenance/sweeper.ts';
import { verifyFiles } from '#src/maintenance/verify.ts';
import type { Service } from '#src/service/service.ts';
import { Storages } from '#src/service/storages.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

const { signal } = new AbortController();
const BROKEN = new ObjectStoreUnavailableError('read: EIO, i/o error');

/** A service whose object store fails where it meets one of these. */
function failingAt({ storages, ...service }: Service, ...bad: readonly string[]): Service {
  const methods = new Set<string | symbol>(['removeTree', 'discard', 'hash']);
  const local = new Proxy(storages.named('local'), {
    get(store, name) {
      const method = Reflect.get(store, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        if (methods.has(name) && bad.includes(String(args[0]))) return Promise.reject(BROKEN);
        return method.apply(store, args);
      };
    },
  });
  return { ...service, storages: new Storages(service.config, local) };
}

test('a deletion that cannot be finished keeps no other one', async (t) => {
  const { imgapi, client } = await startInProcess(t);
  const { service } = imgapi;
  const alice = client({ account: ALICE });
  const uuids = [];
  for (let i = 0; i < 3; i++) uuids.push((await makeImage(alice, { version: String(i) })).image.uuid);
  for (const uuid of uuids) {
    const stored = await loadRaw(service, uuid);
    if (stored) await service.store.batch([buried(stored)]);
  }
  const [first = ''] = uuids.toSorted();
  await t.rejects(finishDeletes(failingAt(service, imageObjectDirectory(first))), BROKEN);
  const left = await service.store.find(IMAGES, {});
  t.ok(
    left.every(({ key }) => key === first),
    'only that one is left for the next run',
  );
  await finishDeletes(service);
  t.equal(await service.store.count(IMAGES), 0);
});

test('staging that cannot be removed keeps no other', async (t) => {
  const { imgapi } = await startInProcess(t);
  const { service } = imgapi;
  for (const session of ['upload.a', 'upload.b', 'upload.c']) {
    const writer = await service.storages.named('local').open({ path: 'images/x', session });
    await writer.append(Readable.from([Buffer.alloc(1000)]));
    await writer.close();
  }
  // A sweep takes what is older than its own moment: the last one was written in this very millisecond.
  const plan = await waitFor('a plan with all three', async () => {
    const planned = await planSweep(service, { eager: true });
    return planned.sessions.length === 3 && planned;
  });
  const [first] = plan.sessions;
  await t.rejects(carryOutSweep(failingAt(service, first?.session ?? ''), plan), BROKEN);
  t.strictSame(
    (await service.storages.named('local').sessions())
      .map(({ session }) => session)
      .filter((name) => /^upload/.test(name)),
    [first?.session],
  );
});

test('a file that cannot be read is a finding, and what comes after it is verified', async (t) => {
  const { imgapi, client } = await startInProcess(t);
  const alice = client({ account: ALICE });
  const made = [];
  for (let i = 0; i < 2; i++) made.push((await makeImage(alice, { version: String(i) })).image.uuid);
  const bad = made[0] ?? '';
  const service = failingAt(imgapi.service, imageObjectPath(bad, 'file0'));
  const lines = [];
  for await (const line of verifyFiles(service, { signal })) lines.push(line);
  t.match(lines.at(-1), { summary: { ok: 1, missing: 1, files: 2 } });
  t.match(
    lines.find((line) => 'uuid' in line && line.uuid === bad),
    { status: 'missing', message: /cannot be read: read: EIO/ },
  );
});

test('a store that does not answer is told once, and nothing is said of its files, nor repaired', async (t) => {
  const { imgapi, client } = await startInProcess(t);
  const alice = client({ account: ALICE });
  for (let i = 0; i < 3; i++) await makeImage(alice, { version: String(i) });
  const { service } = imgapi;
  const message = 'the disk is gone';
  const down = new Proxy(service.storages.named('local'), {
    get: (store, name) =>
      name === 'name' ? store.name : () => Promise.reject(new ObjectStoreUnavailableError(message)),
  });
  for (const [storages, why] of [
    [new Storages(service.config, down), message],
    [
      new Storages(service.config, new Proxy(down, { get: (store, name) => (name === 'name' ? 's3' : store.free) })),
      /local.*not configured/,
    ],
  ] as const) {
    const lines = [];
    const repair = () => t.fail('a repair') as never;
    for await (const line of verifyFiles({ ...service, storages }, { repair, signal })) lines.push(line);
    t.match(lines, [{ store: 'local', message: why }, { summary: { missing: 0, skipped: 3, files: 3 } }]);
    t.equal(lines.length, 2);
  }
  t.same(await listFindings(service), []);
});
