/** Uploads that survive their connection: they go on where they stopped, whole, within the quota, and end by themselves. */
import { randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { quotaOf, setLimits } from '#src/images/quotas/own-limits.ts';
import { expireUploads } from '#src/images/uploads/uploads.ts';
import { planSweep } from '#src/maintenance/sweeper.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { cannotCountFiles, openFiles } from '../../../helpers/open-files.ts';
import { TestClock } from '../../../helpers/test-clock.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { refusal, send } from '../fixture.ts';

const SIZE = 300_000;
const MINUTE = 60_000;

test('uploads that go on', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const alice = server.client({ account: ALICE });
  const bob = server.client({ account: BOB });
  const bytes = randomBytes(SIZE);
  const file = { compression: 'none', size: SIZE, sha1: sha1Of(bytes) } as const;
  const part = (from: number, to = SIZE) => Readable.from([bytes.subarray(from, to)]);
  const begin = async (client: ImgapiClient = alice, given = file) => {
    const { uuid: image } = await client.createImage(MANIFEST);
    const { uuid: upload } = await client.beginImageUpload(image, given);
    return { image, upload };
  };
  const append = (image: string, upload: string, from: number, to = SIZE) =>
    alice.appendImageUpload(image, upload, part(from, to), { offset: from, size: to - from });
  const staged = async () => {
    const sessions = await Promise.all([...service.storages].map((storage) => storage.sessions()));
    return sessions.flat().length;
  };

  await t.test('bytes come in several requests, and the last one makes the file', async (t) => {
    const { image, upload } = await begin();
    t.equal(await append(image, upload, 0, 100_000), undefined);
    t.match(await alice.getImageUpload(image, upload), { offset: 100_000, size: SIZE });
    t.match(await alice.beginImageUpload(image, file), { uuid: upload, offset: 100_000 }, 'it is found again');
    t.match(await append(image, upload, 100_000), { uuid: image, files: [{ sha1: file.sha1, size: SIZE }] });
    t.match(await alice.activateImage(image), { state: 'active' });
    const { stream } = await alice.getImageFile(image);
    t.ok(Buffer.concat(await stream.toArray()).equals(bytes));
    t.equal(await staged(), 0, 'nothing is left');
    t.match(await refusal(alice.getImageUpload(image, upload)), { code: 'ImageFilesImmutable' });
  });

  await t.test('a connection that is cut loses nothing of what had arrived', async (t) => {
    const { image, upload } = await begin();
    const path = `/images/${image}/uploads/${upload}?account=${ALICE}`;
    const headers = {
      ...{ 'content-type': 'application/partial-upload', 'content-length': SIZE, 'upload-offset': 0 },
      'accept-version': '~3',
    };
    const cut = request(new URL(path, server.url), { method: 'PATCH', headers });
    cut.on('error', () => {});
    cut.write(bytes.subarray(0, 120_000));
    await waitFor('bytes to be staged', async () => (await staged()) > 0);
    t.match(await refusal(append(image, upload, 0)), { status: 409, code: 'UploadInProgress' });
    t.match(await refusal(alice.beginImageUpload(image, { ...file, sha1: '0'.repeat(40) })), {
      code: 'UploadInProgress',
    });
    cut.destroy();
    const offset = await waitFor('the bytes to be kept', async () => {
      const { offset } = await alice.getImageUpload(image, upload);
      return offset > 0 && offset;
    });
    const done = await waitFor('the first request to have ended', () =>
      append(image, upload, offset).catch((error: { code?: string }) => {
        if (error.code !== 'UploadInProgress') throw error;
        return undefined;
      }),
    );
    t.match(done, { files: [{ sha1: file.sha1 }] });
  });

  await t.test('a wrong offset, a stranger, and what is no number are refused', async (t) => {
    const { image, upload } = await begin();
    await append(image, upload, 0, 1000);
    for (const offset of [0, 999, 1001, SIZE]) {
      t.match(await refusal(append(image, upload, offset)), { status: 409, code: 'UploadOffsetMismatch' });
    }
    t.match(await refusal(bob.getImageUpload(image, upload)), { status: 404 });
    t.match(await refusal(bob.appendImageUpload(image, upload, part(1000), { offset: 1000, size: SIZE - 1000 })), {
      status: 404,
    });
    t.match(await refusal(bob.cancelImageUpload(image, upload)), { status: 404 });
    t.match(await refusal(alice.getImageUpload(image, randomUUID())), { status: 404 });
    for (const [header, value] of [
      ['upload-offset', '-1'],
      ['upload-offset', '1e9'],
      ['x', 'y'],
    ] as const) {
      const { json } = await send(server.url, {
        ...{ method: 'PATCH', path: `/images/${image}/uploads/${upload}?account=${ALICE}`, body: 'x' },
        headers: { 'accept-version': '~3', 'content-type': 'application/partial-upload', [header]: value },
      });
      t.match(json, { code: 'InvalidParameter', errors: [{ field: 'Upload-Offset' }] });
    }
    for (const type of ['application/octet-stream', 'application/json', undefined]) {
      const headers = { 'accept-version': '~3', 'upload-offset': '1000', ...(type && { 'content-type': type }) };
      const path = `/images/${image}/uploads/${upload}?account=${ALICE}`;
      t.match(await send(server.url, { method: 'PATCH', path, body: 'x', headers }), {
        ...{ status: 415, headers: { 'accept-patch': 'application/partial-upload' } },
        json: { code: 'UnsupportedMediaType', message: `Content-Type is ${type ? JSON.stringify(type) : 'missing'}; ` },
      });
    }
    t.match(await alice.getImageUpload(image, upload), { offset: 1000 }, 'nothing of it counted');
    await alice.cancelImageUpload(image, upload);
    t.match(await refusal(alice.getImageUpload(image, upload)), { status: 404 });
    t.equal(await staged(), 0);
  });

  await t.test('bytes that are not the announced ones leave nothing', async (t) => {
    const { image, upload } = await begin(alice, { ...file, sha1: '0'.repeat(40) });
    t.match(await refusal(append(image, upload, 0)), { status: 400, code: 'Upload', message: /sha1 should be 0{40}/ });
    t.match(await refusal(alice.getImageUpload(image, upload)), { status: 404 });
    t.match((await alice.getImage(image)).files, []);
    t.equal(await staged(), 0);
  });

  await t.test('other bytes take the place of an upload that nobody goes on with', async (t) => {
    const { image, upload } = await begin();
    await append(image, upload, 0, 1000);
    const other = await alice.beginImageUpload(image, { ...file, sha1: '0'.repeat(40) });
    t.match(other, { offset: 0 });
    t.not(other.uuid, upload);
    t.match(await refusal(append(image, upload, 1000)), { status: 404 });
    t.equal(await staged(), 0);
    await alice.cancelImageUpload(image, other.uuid);
  });

  await t.test('the quota counts it from its beginning to its end, and once', async (t) => {
    const { bytes: had } = (await quotaOf(service, ALICE)).used;
    await setLimits(service, ALICE, { bytes: had + SIZE + 1000 });
    const { image, upload } = await begin();
    await append(image, upload, 0, 1000);
    const second = await alice.createImage(MANIFEST);
    t.match(await refusal(alice.beginImageUpload(second.uuid, file)), { status: 403, code: 'QuotaExceeded' });
    t.equal((await quotaOf(service, ALICE)).reserved, SIZE);
    t.match(await append(image, upload, 1000), { uuid: image });
    t.match(await quotaOf(service, ALICE), { reserved: 0, used: { bytes: had + SIZE } });
    await setLimits(service, ALICE, { bytes: null });
    t.match(await refusal(alice.beginImageUpload(second.uuid, { ...file, size: 2 ** 45 })), { code: 'Upload' });
  });
});

test('what nobody goes on with is kept for its time, and then goes', async (t) => {
  const clock = new TestClock();
  const server = await startInProcess(t, { uploads: { keepSeconds: 600 }, sweep: { graceSeconds: 1 } }, { clock });
  const { service } = server.imgapi;
  const alice = server.client({ account: ALICE });
  const bytes = randomBytes(1000);
  const file = { compression: 'none', size: 1000, sha1: sha1Of(bytes) } as const;
  const begun = async () => {
    const { uuid: image } = await alice.createImage(MANIFEST);
    const { uuid } = await alice.beginImageUpload(image, file);
    await alice.appendImageUpload(image, uuid, Readable.from([bytes.subarray(0, 500)]), { offset: 0, size: 500 });
    return { image, uuid };
  };
  const { image, uuid } = await begun();
  const deleted = await begun();
  await alice.deleteImage(deleted.image);
  t.equal(await expireUploads(service), 1, 'that of an image that is gone goes at once');
  clock.ahead += 5 * MINUTE;
  t.match((await planSweep(service)).sessions, [], 'the sweeper leaves it alone');
  t.equal(await expireUploads(service), 0);
  clock.ahead += 6 * MINUTE;
  t.equal(await expireUploads(service), 1);
  t.match(await refusal(alice.getImageUpload(image, uuid)), { status: 404 });
  const sessions = await Promise.all([...service.storages].map((storage) => storage.sessions()));
  t.same(sessions.flat(), []);
});

test('a request that cannot remove what was staged before holds nothing of what it took over', {
  skip: cannotCountFiles,
}, async (t) => {
  const server = await startInProcess(t);
  const { storages, config } = server.imgapi.service;
  const alice = server.client({ account: ALICE });
  const bytes = randomBytes(SIZE);
  const { uuid: image } = await alice.createImage(MANIFEST);
  const file = { compression: 'none', size: SIZE, sha1: sha1Of(bytes) } as const;
  const { uuid: upload } = await alice.beginImageUpload(image, file);
  const append = (from: number, to: number) =>
    alice.appendImageUpload(image, upload, Readable.from([bytes.subarray(from, to)]), {
      offset: from,
      size: to - from,
    });
  await append(0, 200_000);
  const local = storages.named('local');
  const down = async () => {
    throw new ObjectStoreUnavailableError('nothing can be removed');
  };
  const { discard } = local;
  Object.assign(local, { discard: down });
  t.match(await refusal(append(200_000, SIZE)), { status: 503 });
  t.same(await openFiles(join(config.dataDir, 'storage')), []);
  Object.assign(local, { discard });
  t.match(await append(200_000, SIZE), { files: [{ sha1: file.sha1 }] });
});
