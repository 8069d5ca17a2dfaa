/** Whoever reads a file while another one takes its place is told so, and by an answer that the API's description has. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import t from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { PLACEMENT_LEASE_MS } from '#src/images/files/file-placement.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { refusal, send } from '../fixture.ts';

t.test('a file that another upload is replacing is not read', async (t) => {
  const server = await startInProcess(t);
  const { store, worker } = server.imgapi.service;
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  await updateObject(store, IMAGES, image.uuid, (record) => {
    const [file] = record.files ?? [];
    if (!file) throw new Error('it has no file');
    const other = { ...file, sha1: '0'.repeat(40) };
    return {
      ...record,
      intent: {
        object: 'images/other',
        session: 'other',
        size: other.size,
        sha1: other.sha1,
        file: other,
        kind: 'file' as const,
        worker,
      },
      intent_lease: new Date(store.now() + PLACEMENT_LEASE_MS).toISOString(),
      rev: (record.rev ?? 0) + 1,
    };
  });
  t.match(await refusal(operator.getImageFile(image.uuid)), { status: 409, code: 'ImageFileBusy' });
});

t.test('an icon that is being replaced is not read, nor cloned, before it is what its record says', async (t) => {
  const server = await startInProcess(t);
  const { store, storages, worker, faults } = server.imgapi.service;
  const operator = server.client();
  const bob = server.client({ account: BOB });
  const { image } = await makeImage(operator, {}, { owner: ALICE });
  const { uuid } = image;
  await operator.addImageAcl(uuid, [BOB]);
  const [first, second] = [randomBytes(500), randomBytes(600)];
  await operator.addImageIcon(uuid, first, 'image/png');
  const iconOf = async (of: string) => {
    const { headers, bytes } = await send(server.url, { path: `/images/${of}/icon` });
    return { sha1: headers['etag'], bytes };
  };

  // A process that died between the bytes and the record.
  const path = imageObjectPath(uuid, 'icon');
  const session = await storages.named('local').open({ path, session: 'other', expect: second.length });
  await session.append(Readable.from([second]));
  await session.commit();
  const sha1 = sha1Of(second);
  const leaseUntil = (until: number) =>
    updateObject(store, IMAGES, uuid, (record) => ({
      ...record,
      ...(record.icon && {
        intent: {
          ...{ object: path, session: 'other', size: second.length, sha1, kind: 'icon' as const, worker },
          file: { ...record.icon, sha1, size: second.length },
        },
      }),
      intent_lease: new Date(until).toISOString(),
      rev: (record.rev ?? 0) + 1,
    }));
  await leaseUntil(store.now() + PLACEMENT_LEASE_MS);
  t.match(await refusal(operator.getImageIcon(uuid)), { status: 409, code: 'ImageFileBusy' });
  t.match(await refusal(bob.cloneImage(uuid)), { status: 409, code: 'ImageFileBusy' });
  await leaseUntil(store.now() - 1);
  t.same(await iconOf(uuid), { sha1, bytes: second }, 'its lease has run out');

  // Fewer bytes than the record that the clone began with says.
  const third = randomBytes(400);
  const reach = faults.reach.bind(faults);
  let isFirst = true;
  t.intercept(faults, 'reach', {
    value: async (point: string) => {
      if (point === 'clone:journaled' && isFirst) {
        isFirst = false;
        await operator.addImageIcon(uuid, third, 'image/png');
      }
      await reach(point as never);
    },
  });
  const cloned = await bob.cloneImage(uuid);
  t.same(await iconOf(cloned.uuid), { sha1: sha1Of(third), bytes: third }, 'it was replaced while it was being cloned');
});

t.test('a file that went with its image while it was being opened is not there, and not called damaged', async (t) => {
  const server = await startInProcess(t);
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ALICE });
  const storage = server.imgapi.service.storages.named('local');
  const read = storage.read.bind(storage);
  t.intercept(storage, 'read', {
    value: async (...asked: Parameters<typeof read>) => {
      await operator.deleteImage(image.uuid);
      return read(...asked);
    },
  });
  const gone = { status: 404, code: 'ResourceNotFound', message: /not found$/ };
  t.match(await refusal(operator.getImageFile(image.uuid)), gone);
});

for (const size of [10, 5000]) {
  t.test(`a file is not mixed with one of ${size} bytes that takes its place while it is opened`, async (t) => {
    const server = await startInProcess(t);
    const operator = server.client();
    const { image } = await makeImage(operator, {}, { owner: ALICE, activate: false });
    const storage = server.imgapi.service.storages.named('local');
    const read = storage.read.bind(storage);
    const second = randomBytes(size);
    const { restore } = t.intercept(storage, 'read', {
      value: async (...asked: Parameters<typeof read>) => {
        await operator.addImageFile(image.uuid, Readable.from([second]), { compression: 'none' });
        return read(...asked);
      },
    });
    t.match(await refusal(operator.getImageFile(image.uuid)), { status: 409, code: 'ImageFileBusy' });
    restore();
    const { bytes } = await send(server.url, { path: `/images/${image.uuid}/file` });
    t.ok(bytes.equals(second));
  });
}
