/** A datacenter whose files move to another store and back. */
import { Readable } from 'node:stream';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { moveArchive } from '#src/migrations/move-archive.ts';
import { storesIn } from '../../doubles/stores.ts';
import { sharedStores } from '../../engines/shared-stores.ts';
import { ADMIN } from '../../helpers/accounts.ts';
import { bytesOf } from '../../helpers/datacenter.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { assertNothingLeft, fileOf, storOf } from '../images/moving/fixture.ts';
import { hasEnded, operatorOf } from './fixture.ts';

const { signal } = new AbortController();

sharedStores.withNpm.each(({ name, stor, make }) => {
  test(`files move from local to ${name} and back, and what is damaged is reported and stops nobody`, async (t) => {
    const { keys, stores } = await make(t);
    const server = await startInProcess(t, keys, { ...(stores && { stores }) });
    const { service } = server.imgapi;
    const operator = await operatorOf(server);
    const made = [];
    // The admin's are kept locally.
    for (let n = 0; n < 5; n++) {
      made.push(await makeImage(server.client(), {}, { owner: ADMIN, size: 50_000 }));
    }
    const bad = await makeImage(server.client(), {}, { owner: ADMIN, size: 50_000 });
    await service.storages.named('local').remove(imageObjectPath(bad.image.uuid, 'file0'));
    const plan = await operator.adminMigrate({ kind: 'files', to: stor, dry_run: true });
    t.match(plan, { state: 'planned', total: 6, bytes_total: 300_000, done: 0 });
    for (const { image } of made) t.equal(await storOf(server, image.uuid), 'local', 'a dry run moves nothing');
    t.match(await operator.adminMigrate({ kind: 'files', to: stor }), { state: 'running', total: 6 });
    await t.rejects(operator.adminMigrate({ kind: 'files', to: 'local', from: stor }), /being moved/);
    const ended = await hasEnded(operator, 'files');
    t.match(ended, { state: 'failed', done: 5, bytes_done: 250_000 });
    t.match(ended.failed, [{ what: `image ${bad.image.uuid}` }]);
    for (const { image, bytes } of made) {
      t.equal(await storOf(server, image.uuid), stor);
      t.ok((await fileOf(server, image.uuid)).equals(bytes));
    }

    await server.client().deleteImage(bad.image.uuid);
    await operator.adminMigrate({ kind: 'files', to: stor });
    t.match(await hasEnded(operator, 'files'), { state: 'succeeded', total: 0, failed: [] }, 'again: nothing is left');
    await operator.adminMigrate({ kind: 'files', from: stor, to: 'local' });
    t.match(await hasEnded(operator, 'files'), { state: 'succeeded', done: 5 });
    for (const { image, bytes } of made) {
      t.equal(await storOf(server, image.uuid), 'local');
      t.ok((await fileOf(server, image.uuid)).equals(bytes));
    }
    await assertNothingLeft(t, server);
  });
});

test('the archive of manifests goes along, there and back, and of each manifest the newer one stays', async (t) => {
  const stores = storesIn(await temporaryFolder(t), ['local', 's3', 'manta']);
  const { service } = (await startInProcess(t, {}, { stores })).imgapi;
  const [local, s3, other] = ['local', 's3', 'manta'].map((name) => service.storages.named(name));
  if (!local || !s3 || !other) throw new Error('no stores');
  const put = async (store: ObjectStore, path: string, text: string): Promise<void> => {
    const session = await store.open({ path, session: `test.${path.replaceAll('/', '.')}` });
    await session.append(Readable.from([Buffer.from(text)]));
    await session.commit();
    await session.close();
  };
  const text = async (store: ObjectStore, path: string) => (await bytesOf((await store.read(path)).stream)).toString();
  await put(local, 'archive/aaa/one.json', 'one');
  await put(local, 'archive/aaa/two.json', 'old');
  await put(s3, 'archive/aaa/two.json', 'newer');
  t.equal(await moveArchive(service, local, s3, signal), 1);
  t.equal(await text(s3, 'archive/aaa/one.json'), 'one');
  t.equal(await text(s3, 'archive/aaa/two.json'), 'newer');
  t.equal(await moveArchive(service, local, other, signal), 0, 'between stores that take no archive none moves');

  await put(s3, 'archive/aaa/three.json', 'of an image made since');
  t.equal(await moveArchive(service, s3, longAgo(local), signal), 3);
  t.equal(await text(local, 'archive/aaa/one.json'), 'one');
  t.equal(await text(local, 'archive/aaa/two.json'), 'newer');
  t.equal(await text(local, 'archive/aaa/three.json'), 'of an image made since');
  t.equal(await moveArchive(service, s3, local, signal), 0, 'all are there');
});

/** The store as if all in it had been written long ago. */
function longAgo(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'info') return value.bind(target);
      return async (path: string) => {
        const info = await target.info(path);
        return info && { ...info, mtime: new Date(0) };
      };
    },
  });
}
