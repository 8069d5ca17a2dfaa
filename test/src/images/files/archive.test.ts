import { type Test, test } from 'tap';
import type { Store } from '#lib/documents/store.ts';
import { archivePath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { ARCHIVED, archiveManifests } from '#src/images/files/archive.ts';
import { compareArchive } from '#src/images/files/compare-archive.ts';
import { TO_ARCHIVE } from '#src/images/files/to-archive.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { loadImage, loadRaw } from '#src/images/record/load.ts';
import { buried, deleteRecord, finishDelete } from '#src/images/record/tombstones.ts';
import { TASKS } from '#src/maintenance/tasks/task.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf } from '../../../helpers/datacenter.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

const SIGNAL = AbortSignal.timeout(60_000);

async function started(t: Test) {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  // Both have their turn when a server starts.
  await waitFor('the tasks to have looked', async () => {
    const tasks = await service.store.getMany(TASKS, ['archive-manifests', 'compare-archive']);
    return tasks.filter(({ value: { last, lease } }) => last && !lease).length === 2;
  });
  const client = server.client({ account: ALICE });
  const made = async () => (await makeImage(client, {}, { size: 10 })).image.uuid;
  const archived = async (uuid: string): Promise<unknown> => {
    const { stream } = await service.storages.preferred.read(archivePath(uuid));
    return JSON.parse((await bytesOf(stream)).toString());
  };
  const noted = async () => (await service.store.find(TO_ARCHIVE, {})).map(({ key }) => key);
  return {
    service,
    client,
    operator: server.client(),
    made,
    archived,
    noted,
    archive: () => archiveManifests(service, SIGNAL),
  };
}

/** A function that does something the first time it is called. */
function once(something: () => Promise<unknown>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await something();
  };
}

/** The service, with something done before its first batch is written. */
function beforeBatch(service: Service, meanwhile: () => Promise<unknown>): Service {
  const first = once(meanwhile);
  const store = new Proxy(service.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'batch') return value.bind(target);
      return async (...given: Parameters<Store['batch']>) => {
        await first();
        return target.batch(...given);
      };
    },
  });
  return { ...service, store };
}

test('the archive follows the images, and looks only at those that have been written', async (t) => {
  const { service, client, made, archived, noted } = await started(t);
  const [changed, deleted, same] = [await made(), await made(), await made()];
  const read: unknown[] = [];
  const store = new Proxy(service.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (given[0] === IMAGES) read.push(name === 'get' ? given[1] : name);
        return Reflect.apply(value, target, given);
      };
    },
  });
  const archive = () => archiveManifests({ ...service, store }, SIGNAL);

  t.equal(await archive(), 3);
  t.equal(await archive(), 0);
  t.same(read.toSorted(), [changed, deleted, same].toSorted(), 'each was read once');

  await client.updateImage(changed, { description: 'changed' });
  await client.deleteImage(deleted);
  t.equal(await archive(), 1);
  t.same(read.slice(3), [changed]);
  t.match(await archived(changed), { uuid: changed, description: 'changed' });
  t.match(await archived(deleted), { uuid: deleted });
  t.match(await archived(same), { uuid: same });
  t.equal(await archive(), 0);
  t.same(await noted(), []);
});

/** The service, with something done before it writes into the archive for the first time. */
function heldUp(service: Service, meanwhile: () => Promise<unknown>): Service {
  const { storages } = service;
  const first = once(meanwhile);
  const preferred = Object.assign(Object.create(storages.preferred), {
    async open(...given: Parameters<typeof storages.preferred.open>) {
      await first();
      return storages.preferred.open(...given);
    },
  });
  const held = new Proxy(storages, {
    get(target, name) {
      if (name === 'preferred') return preferred;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...service, storages: held };
}

test('what a run writes late, after another has archived something newer, does not stay', async (t) => {
  const { service, client, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const late = heldUp(service, async () => {
    await client.updateImage(uuid, { description: 'later' });
    t.equal(await archive(), 1);
  });
  await archiveManifests(late, SIGNAL);
  await archive();
  t.match(await archived(uuid), { description: 'later' });
  t.same(await noted(), []);
});

test('what a run writes late, after the image was changed and deleted, does not stay', async (t) => {
  const { service, client, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const late = heldUp(service, async () => {
    await client.updateImage(uuid, { description: 'last' });
    await client.deleteImage(uuid);
    t.equal(await service.store.get(IMAGES, uuid), undefined);
    t.match(await archived(uuid), { description: 'last' });
  });
  await archiveManifests(late, SIGNAL);
  t.notMatch(await archived(uuid), { description: 'last' });
  t.equal(await archive(), 1);
  t.match(await archived(uuid), { description: 'last' });
  t.same(await noted(), []);
});

test('what a deletion archives late, after another image has got its UUID, does not stay', async (t) => {
  const { service, operator, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  await archive();
  const stored = await loadImage(service, uuid);
  if (!stored) throw new Error('it was made');
  await service.store.batch([buried(stored, { uuid, description: 'old' })]);
  const late = heldUp(service, async () => {
    await finishDelete(service, uuid);
    t.match(await archived(uuid), { description: 'old' });
    const { name, version, type, os, owner } = stored.value;
    await operator.adminImportImage({ v: 2, uuid, name, version, type, os, owner, description: 'new' });
    t.equal(await archive(), 1);
  });
  await finishDelete(late, uuid);
  t.match(await archived(uuid), { description: 'old' });
  t.equal(await archive(), 1);
  t.match(await archived(uuid), { description: 'new' });
  t.same(await noted(), []);
});

test('an image that is written while it is archived is archived again', async (t) => {
  const { service, client, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const late = beforeBatch(service, () => client.updateImage(uuid, { description: 'later' }));
  t.equal(await archiveManifests(late, SIGNAL), 1);
  t.notMatch(await archived(uuid), { description: 'later' });
  t.same(await noted(), [uuid]);
  t.equal(await archive(), 1);
  t.match(await archived(uuid), { description: 'later' });
});

test('a run that was held up while another archived something newer has it archived again', async (t) => {
  const { service, client, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const late = beforeBatch(service, async () => {
    t.notMatch(await archived(uuid), { description: 'later' });
    await client.updateImage(uuid, { description: 'later' });
    t.equal(await archive(), 1);
    t.same(await noted(), []);
  });
  await archiveManifests(late, SIGNAL);
  t.same(await noted(), [uuid]);
  await archive();
  t.same(await noted(), []);
  t.match(await archived(uuid), { description: 'later' });
});

test('a run that died before it noted what it had archived is made up for', async (t) => {
  const { service, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const dying = beforeBatch(service, () => Promise.reject(new Error('died')));
  await t.rejects(archiveManifests(dying, SIGNAL), { message: 'died' });
  t.same(await noted(), [uuid]);
  t.equal(await archive(), 1);
  t.match(await archived(uuid), { uuid });
});

test('a note that is there stays when all are compared: it may hold a last manifest', async (t) => {
  const { service, made } = await started(t);
  const uuid = await made();
  const note = await service.store.get(TO_ARCHIVE, uuid);
  t.ok(note);
  t.equal(await compareArchive(service, SIGNAL), 0);
  t.same(await service.store.get(TO_ARCHIVE, uuid), note);
});

test('what something else has written to the documents is found when all are compared', async (t) => {
  const { service, made, archived, archive, noted } = await started(t);
  const [same, changed] = [await made(), await made()];
  t.equal(await archive(), 2);
  // Of an image that is no more, before and behind all others.
  for (const key of ['00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff']) {
    await service.store.batch([{ op: 'put', bucket: ARCHIVED, key, value: { etag: 'x' } }]);
  }
  await changeRecord(service, changed, (record) => ({ ...record, description: 'changed' }));
  // As by another process, which knows of no notes.
  await service.store.batch([{ op: 'del', bucket: TO_ARCHIVE, key: changed }]);
  t.equal(await archive(), 0);

  t.equal(await compareArchive(service, SIGNAL), 1);
  t.same(await noted(), [changed]);
  t.equal(await archive(), 1);
  t.match(await archived(changed), { description: 'changed' });
  t.match(await archived(same), { uuid: same });
  t.equal(await compareArchive(service, SIGNAL), 0);
});

test('all are archived again where the archive is now, after its store has become another one', async (t) => {
  const { service, made, archived, archive } = await started(t);
  const uuid = await made();
  await archive();
  t.equal(await compareArchive(service, SIGNAL), 0);
  const stored = await service.store.get(ARCHIVED, uuid);
  await service.storages.preferred.remove(archivePath(uuid));
  await service.store.batch([{ op: 'put', bucket: ARCHIVED, key: uuid, value: { ...stored?.value, stor: 'before' } }]);
  t.equal(await compareArchive(service, SIGNAL), 1);
  t.equal(await archive(), 1);
  t.match(await archived(uuid), { uuid });
  t.equal(await compareArchive(service, SIGNAL), 0);
});

test('a placeholder of a copy that comes to nothing leaves the last manifest of an image that was there before', async (t) => {
  const { service, client, made, archived, archive, noted } = await started(t);
  const uuid = await made();
  const stored = await loadImage(service, uuid);
  if (!stored) throw new Error('it was made');
  await client.updateImage(uuid, { description: 'last' });
  await client.deleteImage(uuid);
  t.same(await noted(), [uuid]);
  const { files: _, ...rest } = stored.value;
  const value = { ...rest, state: 'creating', activated: false, copy: { state: 'live', datacenter: 'east' } };
  await service.store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value, ifEtag: null }]);
  await archive();
  t.match(await archived(uuid), { description: 'last', files: [{ size: 10 }] });
  const placeholder = await loadRaw(service, uuid);
  if (!placeholder) throw new Error('it was put there');
  await deleteRecord(service, placeholder);
  await archive();
  t.match(await archived(uuid), { description: 'last', files: [{ size: 10 }] });
  t.same(await noted(), []);
});
