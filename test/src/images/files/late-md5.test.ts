/** The MD5 of a large file comes after the answer, and before anybody is told of it. */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { addFile } from '#src/images/files/add-file.ts';
import { completeMd5s, LATE_MD5S, md5OfFile } from '#src/images/files/late-md5.ts';
import type { Announced } from '#src/images/files/upload.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putObject, startDatacenter } from '../../../helpers/datacenter.ts';
import { MANIFEST } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../../helpers/records.ts';
import { send } from '../fixture.ts';

const LARGE = Buffer.alloc(200_000, 'large');
const keys = { uploads: { lateMd5Bytes: LARGE.length } };
const { signal } = new AbortController();

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');

/** A datacenter in which no task runs, and an image that gets files. */
async function imageOf(t: Test) {
  const { service } = await startDatacenter(t, 'us-west', { keys });
  const { store } = service;
  const uuid = randomUUID();
  await store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value: unactivatedRecord(uuid, ALICE) }]);
  const storage = service.storages.named('local');
  // An upload lets go of the memory of what it was given.
  const upload = (bytes: Buffer, announced: Announced = {}) => {
    const file = { compression: 'none', storage, announced: { contentLength: bytes.length, ...announced } } as const;
    return addFile(
      service,
      { uuid, viewer: { account: ALICE } },
      file,
      () => Readable.from([Buffer.from(bytes)]),
      signal,
    );
  };
  const recorded = async () => (await store.get(IMAGES, uuid))?.value.files?.[0]?.contentMD5;
  const read = async () => {
    const stored = await store.get(IMAGES, uuid);
    return stored && md5OfFile(service, stored.value, 0, signal);
  };
  return { service, uuid, storage, upload, recorded, read, notes: () => store.count(LATE_MD5S) };
}

test('of a large file it is computed by whoever needs it first', async (t) => {
  const { service, upload, recorded, read, notes } = await imageOf(t);
  await upload(LARGE);
  t.equal(await recorded(), undefined);
  t.equal(await notes(), 1);
  t.same(await Promise.all([read(), read()]), [md5Of(LARGE), md5Of(LARGE)]);
  t.equal(await recorded(), md5Of(LARGE));
  t.equal(await notes(), 0);
  const other = Buffer.alloc(LARGE.length, 'other');
  await upload(other);
  t.equal(await recorded(), undefined);
  t.equal(await completeMd5s(service, signal), 1);
  t.equal(await recorded(), md5Of(other));
  t.equal(await completeMd5s(service, signal), 0);
});

test('what a client announced is compared before the answer, and of a small file it is there with it', async (t) => {
  const { upload, recorded, notes } = await imageOf(t);
  const small = Buffer.from('small');
  await upload(small);
  t.equal(await recorded(), md5Of(small));
  await t.rejects(upload(LARGE, { contentMd5: 'AAAAAAAAAAAAAAAAAAAAAA==' }), { code: 'Download' });
  await upload(LARGE, { contentMd5: md5Of(LARGE) });
  t.equal(await recorded(), md5Of(LARGE));
  t.equal(await notes(), 0);
});

test('a file that replaces another while it is computed gets its own', async (t) => {
  const { service, storage, upload, recorded, notes } = await imageOf(t);
  const other = Buffer.alloc(LARGE.length, 'other');
  const compute = storage.md5.bind(storage);
  storage.md5 = async (...args) => {
    const hashes = await compute(...args);
    storage.md5 = compute;
    await upload(other);
    return hashes;
  };
  await upload(LARGE);
  await completeMd5s(service, signal);
  t.equal(await recorded(), undefined);
  t.equal(await notes(), 1, 'that of the other one');
  await completeMd5s(service, signal);
  t.equal(await recorded(), md5Of(other));
});

test('damaged bytes get none, a store that is down is asked again, and an image that is gone leaves no note', async (t) => {
  const { service, uuid, storage, upload, recorded, read, notes } = await imageOf(t);
  await upload(LARGE);
  const compute = storage.md5.bind(storage);
  storage.md5 = () => Promise.reject(new Error('down'));
  t.equal(await read(), undefined);
  t.equal(await completeMd5s(service, signal), 0);
  t.equal(await notes(), 1);
  storage.md5 = compute;
  await putObject(storage, imageObjectPath(uuid, 'file0'), Buffer.alloc(LARGE.length));
  t.equal(await read(), undefined);
  t.equal(await recorded(), undefined);
  t.equal(await notes(), 0);
  await upload(LARGE);
  await service.store.batch([{ op: 'del', bucket: IMAGES, key: uuid }]);
  await completeMd5s(service, signal);
  t.equal(await notes(), 0);
});

test('whoever reads a file right after its upload is told its MD5, whoever reads a part of it is not', async (t) => {
  const { url, client } = await startInProcess(t, keys);
  const { uuid } = await client({ account: ALICE }).createImage({ ...MANIFEST });
  const path = `/images/${uuid}/file`;
  const put = await send(url, { method: 'PUT', path: `${path}?compression=none`, body: LARGE });
  t.equal(put.status, 200);
  const part = await send(url, { path, headers: { range: 'bytes=0-1' } });
  t.equal(part.headers['content-md5'], undefined);
  const whole = await send(url, { method: 'HEAD', path });
  t.equal(whole.headers['content-md5'], md5Of(LARGE));
});
