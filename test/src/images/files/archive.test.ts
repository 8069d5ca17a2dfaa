import { test } from 'tap';
import { archivePath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { ARCHIVED, archiveManifests } from '#src/images/files/archive.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';

test('the archive follows the images, and reads only those that have changed', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const client = server.client({ account: ALICE });
  const uuids: string[] = [];
  for (let i = 0; i < 3; i += 1) uuids.push((await makeImage(client, {}, { size: 10 })).image.uuid);
  const [changed = '', deleted = '', same = ''] = uuids;
  const read: string[] = [];
  const store = new Proxy(service.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (name === 'get' && given[0] === IMAGES) read.push(String(given[1]));
        return Reflect.apply(value, target, given);
      };
    },
  });
  const archive = () => archiveManifests({ ...service, store }, AbortSignal.timeout(10_000));
  const archived = async (uuid: string): Promise<unknown> => {
    const { stream } = await service.storages.preferred.read(archivePath(uuid));
    return JSON.parse((await bytesOf(stream)).toString());
  };

  t.equal(await archive(), 3);
  t.equal(await archive(), 0);
  t.equal(read.length, 3, 'each was read once');

  await client.updateImage(changed, { description: 'changed' });
  await client.deleteImage(deleted);
  // Of an image that is no more, before and behind all others.
  for (const key of ['00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff']) {
    await service.store.batch([{ op: 'put', bucket: ARCHIVED, key, value: { etag: 'x' } }]);
  }
  t.equal(await archive(), 1);
  t.equal(read.at(-1), changed);
  t.match(await archived(changed), { uuid: changed, description: 'changed' });
  t.match(await archived(same), { uuid: same });
  t.equal(await archive(), 0);
});
