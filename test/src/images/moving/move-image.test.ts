/** AdminChangeImageStor: an image moves to another store, and can be read all the time. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { FORMER_OBJECTS } from '#src/images/files/former-objects.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { storesIn } from '../../../doubles/stores.ts';
import { sharedStores } from '../../../engines/shared-stores.ts';
import { ADMIN, ALICE } from '../../../helpers/accounts.ts';
import { bytesOf, putObject } from '../../../helpers/datacenter.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';
import { assertNothingLeft, fileOf, holders, PNG, removeFormer, startHeld, storOf } from './fixture.ts';

sharedStores.withNpm.each(({ name, stor, make }) => {
  test(`${name}: file and icon move there and back, and nothing is left behind`, async (t) => {
    const { keys, stores } = await make(t);
    const server = await startInProcess(t, keys, stores ? { stores } : {});
    const operator = server.client();
    const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN, size: 3_000_000 });
    const { uuid } = image;
    await operator.addImageIcon(uuid, PNG, 'image/png');
    for (const to of [stor, 'local', stor]) {
      const moved = await operator.adminChangeImageStor(uuid, { stor: to });
      t.match(moved, { uuid, files: [{ stor: to, sha1: sha1Of(bytes), size: bytes.length }] });
      t.equal(await storOf(server, uuid), to);
      t.ok((await fileOf(server, uuid)).equals(bytes));
      t.ok((await bytesOf((await operator.getImageIcon(uuid)).stream)).equals(PNG));
      await removeFormer(server);
      t.strictSame(await holders(server, uuid), [to]);
      t.strictSame(await holders(server, uuid, 'icon'), [to]);
      await assertNothingLeft(t, server);
    }
    await operator.deleteImage(uuid);
    t.strictSame(await holders(server, uuid), []);
  });

  test(`${name}: a reader of the old bytes reads on`, async (t) => {
    const { keys, stores } = await make(t);
    const server = await startInProcess(t, keys, stores ? { stores } : {});
    const operator = server.client();
    const { image, bytes } = await makeImage(operator, {}, { owner: ADMIN, size: 20_000_000 });
    for (const to of [stor, 'local']) {
      const { stream } = await operator.getImageFile(image.uuid);
      const reader = stream[Symbol.asyncIterator]();
      const hash = createHash('sha1').update((await reader.next()).value);
      await operator.adminChangeImageStor(image.uuid, { stor: to });
      await removeFormer(server);
      for (let piece = await reader.next(); !piece.done; piece = await reader.next()) hash.update(piece.value);
      t.equal(hash.digest('hex'), sha1Of(bytes));
    }
  });
});

test('all files of an image move', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const { image } = await makeImage(server.client(), { type: 'lxd' }, { owner: ADMIN });
  const second = randomBytes(1000);
  await putObject(service.storages.named('local'), imageObjectPath(image.uuid, 'file1'), second);
  await changeRecord(service, image.uuid, (record) => {
    const [file] = record.files ?? [];
    if (!file) return undefined;
    const { sha256: _, contentMD5: __, ...like } = file;
    return {
      ...record,
      files: [
        { ...file, digest: 'as it was' },
        { ...like, sha1: sha1Of(second), size: 1000 },
      ],
    };
  });
  await server.client().adminChangeImageStor(image.uuid, { stor: 'manta' });
  await removeFormer(server);
  t.strictSame(await holders(server, image.uuid), ['manta']);
  t.strictSame(await holders(server, image.uuid, 'file1'), ['manta']);
  const files = (await loadRaw(service, image.uuid))?.value.files;
  t.match(files, [
    { stor: 'manta', digest: 'as it was' },
    { stor: 'manta', sha1: sha1Of(second) },
  ]);
  t.ok((await bytesOf((await server.client().getImageFile(image.uuid, { index: 1 })).stream)).equals(second));
});

test('what cannot be moved is refused, and what is there already is left alone', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ALICE });
  const before = await loadRaw(service, image.uuid);
  t.match(await operator.adminChangeImageStor(image.uuid, { stor: 'manta' }), { files: [{ stor: 'manta' }] });
  t.equal((await loadRaw(service, image.uuid))?.etag, before?.etag, 'nothing was written');
  const alice = server.client({ account: ALICE });
  await t.rejects(alice.adminChangeImageStor(image.uuid, { stor: 'local' }), { code: 'OperatorOnly' });
  const unknown = {
    statusCode: 422,
    errors: [{ field: 'stor', code: 'Invalid', message: /"tape".*local, manta, s3/ }],
  };
  await t.rejects(operator.adminChangeImageStor(image.uuid, { stor: 'tape' }), unknown);
  const empty = await operator.createImage({ name: 'a', version: '1', type: 'other', os: 'other', owner: ALICE });
  const noFile = { statusCode: 422, errors: [{ field: 'files', message: /has no file to move/ }] };
  await t.rejects(operator.adminChangeImageStor(empty.uuid, { stor: 's3' }), noFile);
});

test('bytes that are not what the record says are not moved', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const { service } = server.imgapi;
  const operator = server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE });
  const path = imageObjectPath(image.uuid, 'file0');
  const damaged = Buffer.from(bytes);
  damaged[7] = (damaged[7] ?? 0) ^ 1;
  for (const [wrong, problem] of [
    [damaged, /its bytes have sha1/],
    [bytes.subarray(1), /bytes are stored/],
  ] as const) {
    await putObject(service.storages.named('manta'), path, wrong);
    await t.rejects(operator.adminChangeImageStor(image.uuid, { stor: 'local' }), {
      code: 'FileDamaged',
      message: problem,
    });
    t.equal(await storOf(server, image.uuid), 'manta');
    t.strictSame(await holders(server, image.uuid), ['manta']);
    await assertNothingLeft(t, server);
  }
});

test('a file without room in the other store stays where it is', async (t) => {
  const dataDir = await temporaryFolder(t);
  const stores = storesIn(`${dataDir}/shared`, ['local', 'manta']);
  const keys = { storage: { quotaBytes: 50_000 } };
  const server = await startInProcess(t, keys, { dataDir: `${dataDir}/data`, stores });
  const { image, bytes } = await makeImage(server.client({ account: ALICE }));
  const moving = server.client().adminChangeImageStor(image.uuid, { stor: 'local' });
  await t.rejects(moving, { code: 'InsufficientStorage', statusCode: 507 });
  t.ok((await fileOf(server, image.uuid)).equals(bytes));
  await assertNothingLeft(t, server);
});

test('a reader whose record is from before finds the bytes in the new store', async (t) => {
  const { server, gate } = await startHeld(t, 'manta');
  const operator = server.client();
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE });
  const { service } = server.imgapi;
  // The move itself is held at its read, so the record and bytes are put where it would have put them.
  const reading = fileOf(server, image.uuid);
  await gate.reached();
  const path = imageObjectPath(image.uuid, 'file0');
  await putObject(service.storages.named('s3'), path, bytes);
  await changeRecord(service, image.uuid, (record) => ({
    ...record,
    files: (record.files ?? []).map((file) => ({ ...file, stor: 's3' })),
  }));
  await service.storages.named('manta').remove(path);
  gate.open();
  t.ok((await reading).equals(bytes));
});

test('a file in another store replaces the earlier one, whose bytes go', async (t) => {
  const { server } = await startHeld(t, 'nothing');
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  const put = async (storage: string) => {
    const bytes = randomBytes(2000);
    await operator.addImageFile(image.uuid, Readable.from([bytes]), { compression: 'none', storage, size: 2000 });
    await operator.addImageIcon(image.uuid, PNG, 'image/png', { storage });
    return bytes;
  };
  for (const to of ['local', 's3', 'manta']) {
    const bytes = await put(to);
    await removeFormer(server);
    t.strictSame(await holders(server, image.uuid), [to]);
    t.strictSame(await holders(server, image.uuid, 'icon'), [to]);
    t.ok((await fileOf(server, image.uuid)).equals(bytes));
  }
  await put('local');
  await put('manta');
  t.ok((await server.imgapi.service.store.count(FORMER_OBJECTS)) <= 1);
  await removeFormer(server);
  t.strictSame(await holders(server, image.uuid), ['manta'], 'bytes placed where former ones were noted stay');
});
