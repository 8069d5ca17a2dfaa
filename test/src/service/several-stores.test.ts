/** A service with several object stores: where things go, and what happens while one of the stores is down. */
import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { archivePath, imageObjectPath } from '#lib/manifest/object-paths.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { archiveManifests } from '#src/images/files/archive.ts';
import { finishDeletes } from '#src/images/record/tombstones.ts';
import { planSweep } from '#src/maintenance/sweeper.ts';
import { type Stores, storesIn } from '../../doubles/stores.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import { bytesOf } from '../../helpers/datacenter.ts';
import { askHealth } from '../../helpers/health.ts';
import { makeImage } from '../../helpers/images.ts';
import { type InProcess, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

async function start(t: Test, ...types: Stores['types']): Promise<InProcess> {
  return startInProcess(t, {}, { stores: storesIn(await temporaryFolder(t), types) });
}

async function storOf({ client }: InProcess, uuid: string): Promise<string | undefined> {
  const { files } = await client().getImage(uuid, { inclAdminFields: true });
  return files?.[0]?.stor;
}

test('an image is served from whichever store it went to, and deleted there', async (t) => {
  const server = await start(t, 'local', 'manta');
  const operator = server.client();
  const { storages } = server.imgapi.service;
  const own = await makeImage(server.client({ account: ALICE }));
  const admins = await makeImage(operator, {}, { owner: ADMIN });
  t.equal(await storOf(server, own.image.uuid), 'manta');
  t.equal(await storOf(server, admins.image.uuid), 'local');
  for (const { image, bytes } of [own, admins]) {
    const { stream } = await operator.getImageFile(image.uuid);
    t.ok((await bytesOf(stream)).equals(bytes));
  }
  await operator.deleteImage(own.image.uuid);
  t.equal(await storages.named('manta').info(imageObjectPath(own.image.uuid, 'file0')), undefined);
  t.ok(await storages.named('manta').info(archivePath(own.image.uuid)), 'the archive is on no single machine');
  t.equal(await storages.named('local').info(archivePath(own.image.uuid)), undefined);
});

test('an operator chooses the store of a file and of an icon', async (t) => {
  const server = await start(t, 'local', 'manta', 's3');
  const operator = server.client();
  const { storages } = server.imgapi.service;
  const { image } = await makeImage(server.client({ account: ALICE }), {}, { activate: false });
  const { uuid } = image;
  await operator.addImageFile(uuid, Readable.from([PNG]), { compression: 'none', storage: 's3', size: PNG.length });
  t.equal(await storOf(server, uuid), 's3');
  const put = (storage?: string, by = operator) =>
    by.addImageIcon(uuid, PNG, 'image/png', { ...(storage !== undefined && { storage }) });
  await put();
  t.ok(await storages.named('s3').info(imageObjectPath(uuid, 'icon')), 'beside the file');
  await put('local');
  t.ok(await storages.named('local').info(imageObjectPath(uuid, 'icon')));
  t.ok((await bytesOf((await operator.getImageIcon(uuid)).stream)).equals(PNG));
  const unknown = { errors: [{ field: 'storage', code: 'Invalid', message: /"tape".*local, manta, s3/ }] };
  await t.rejects(put('tape'), { statusCode: 422, ...unknown });
  const alice = server.client({ account: ALICE });
  await t.rejects(put('s3', alice), { errors: [{ field: 'storage', code: 'NotAllowed' }] });
});

test('where local is not configured, nothing is kept on the disk of one machine', async (t) => {
  const server = await start(t, 's3');
  const { image } = await makeImage(server.client(), {}, { owner: ADMIN });
  await archiveManifests(server.imgapi.service, AbortSignal.timeout(10_000));
  t.equal(await storOf(server, image.uuid), 's3');
  t.ok(await server.imgapi.service.storages.named('s3').info(archivePath(image.uuid)));
  t.notOk((await readdir(server.dataDir)).includes('storage'));
});

/** Stores of which one is cut off until it is let in. */
async function cutOff(t: Test, name: string) {
  const gate = { isOpen: false };
  const stores = storesIn(await temporaryFolder(t), ['local', 'manta'], (store) =>
    store.name === name ? behind(gate, store) : store,
  );
  return { gate, stores };
}

function behind(gate: { readonly isOpen: boolean }, store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || key === 'close') {
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (...args: unknown[]) =>
        gate.isOpen ? value.apply(target, args) : Promise.reject(new ObjectStoreUnavailableError('ECONNREFUSED'));
    },
  });
}

test('a service starts without a store that is down, serves the others, and takes it in when it is back', async (t) => {
  const { gate, stores } = await cutOff(t, 'manta');
  const server = await startInProcess(t, {}, { stores });
  const operator = server.client();
  const { service } = server.imgapi;
  const admins = await makeImage(operator, {}, { owner: ADMIN });
  t.ok((await bytesOf((await operator.getImageFile(admins.image.uuid)).stream)).equals(admins.bytes));
  await t.rejects(makeImage(server.client({ account: ALICE })), { code: 'StorageIsDown', statusCode: 503 });
  t.match((await askHealth(`${server.url}/healthz`)).json, { ok: true, checks: { objects: { down: ['manta'] } } });
  t.strictSame(await planSweep(service), { sessions: [], leftovers: [], bytes: 0 }, 'the others are swept');
  await operator.deleteImage(admins.image.uuid);
  await t.rejects(operator.getImage(admins.image.uuid), /not found/);
  t.equal(await service.storages.named('local').info(imageObjectPath(admins.image.uuid, 'file0')), undefined);
  gate.isOpen = true;
  const alice = server.client({ account: ALICE });
  const { image } = await waitFor('the store to be taken in', () => makeImage(alice).catch(() => undefined));
  t.equal(await storOf(server, image.uuid), 'manta');
  await finishDeletes(service);
  t.ok(await service.storages.named('manta').info(archivePath(admins.image.uuid)), 'the deletion was finished');
  const isDown = async () => 'down' in ((await askHealth(`${server.url}/healthz`)).json.checks['objects'] ?? {});
  await waitFor('the health to be known', async () => !(await isDown()));
});

test('a service with no store that answers is not healthy, but starts', async (t) => {
  const gate = { isOpen: false };
  const stores = storesIn(await temporaryFolder(t), ['s3'], (store) => behind(gate, store));
  const server = await startInProcess(t, {}, { stores });
  const { status, json } = await askHealth(`${server.url}/healthz`);
  t.equal(status, 503);
  t.match(json, { checks: { objects: { ok: false, error: /cannot be reached yet: ECONNREFUSED/ } } });
  t.strictSame(await server.client().listImages(), []);
});
