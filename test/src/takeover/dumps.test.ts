/** Dumps of Moray's bucket: as operators make them, imported; exported, as today's IMGAPI reads them. */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { morayDouble, rawClient } from '../../doubles/moray/client.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { makeTodaysBucket } from '../../lib/documents/moray/todays-bucket.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { bytesServed, importInto, newPlace, PUBLIC } from './fixtures/import.ts';
import { type Made, todaysFolder } from './fixtures/todays-folder.ts';

/** Such images have no files. */
const UNDER_WAY = { state: 'creating', activated: false, published_at: undefined };

const asObject = ({ uuid, record }: Made, extra: object = {}) => ({
  ...{ bucket: 'imgapi_images', key: uuid, value: record, _id: 7, _etag: '1A2B', _mtime: 1700000000000 },
  ...extra,
});

test('a dump is read as findobjects prints it, with -H and without, and as bare records', async (t) => {
  const today = await todaysFolder(t);
  const [one, two, three, four] = [today.add(), today.add(), today.add(), today.add()] as const;
  const dump = join(await temporaryFolder(t), 'dump');
  writeFileSync(
    dump,
    [
      '[',
      JSON.stringify(asObject(one)),
      JSON.stringify(asObject(two), null, 2),
      `${JSON.stringify(three.record)},`,
      '',
      JSON.stringify([asObject(four)], null, 2).replace(/^\[\n|\n\]$/g, ''),
      ']',
    ].join('\n'),
  );
  const place = await newPlace(t);
  t.match(
    await importInto(place, dump),
    { code: 1, report: { problems: [{}, {}, {}, {}] } },
    'whose files are nowhere',
  );
  const { code, report } = await importInto(place, dump, '--files', today.path);
  t.strictSame({ code, problems: report.problems }, { code: 0, problems: [] });
  t.equal(report.images.length, 4);
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  for (const { uuid, bytes } of [one, two, three, four]) t.ok((await bytesServed(server, uuid)).bytes.equals(bytes));
  t.match(await importInto(place, dump, '--files', today.path), { code: 0, report: { same: 4, images: [] } });
});

test('what cannot be a dump, or a place for one, is told in one line', async (t) => {
  const folder = await temporaryFolder(t);
  const packed = join(folder, 'dump.gz');
  writeFileSync(packed, gzipSync(randomBytes(10_000)));
  const { file } = await newPlace(t);
  const cases: readonly [command: string, path: string, told: string][] = [
    ['import-data', packed, `(NoSource): ${packed} is compressed; unpack it first: gzip -d < ${packed} > images.dump`],
    ['import-data', join(folder, 'no'), `(NoSource): ${join(folder, 'no')}: there is no such file`],
    ['export-data', folder, `(NoTarget): ${folder}: it is a folder; --folder writes a data folder there`],
    ['export-data', join(folder, 'no', 'dump'), `(NoTarget): ${join(folder, 'no')}: there is no such folder`],
  ];
  for (const [command, path, told] of cases) {
    const { code, stdout, stderr } = await runImgapiadm([command, path, '-f', file]);
    t.strictSame({ code, stdout, stderr }, { code: 1, stdout: '', stderr: `imgapiadm: error ${told}\n` });
  }
  const ran = await runImgapiadm(['export-data', packed, '--folder', '-f', file]);
  t.match(ran, {
    code: 1,
    stderr: /\(NoTarget\): .*dump\.gz: it is a file; without --folder a dump takes its place\n$/,
  });
});

test('a dump may begin with a mark of its byte order', async (t) => {
  const today = await todaysFolder(t);
  const dump = join(await temporaryFolder(t), 'dump');
  const place = await newPlace(t);
  for (const space of [0, 2]) {
    const made = [today.add({}, { size: 'none' }), today.add({}, { size: 'none' })];
    const texts = made.map((one) =>
      JSON.stringify(asObject({ ...one, record: { ...one.record, ...UNDER_WAY } }), null, space),
    );
    writeFileSync(dump, `\uFEFF${texts.join('\n')}`);
    t.match(await importInto(place, dump), { code: 0, report: { images: [{}, {}], problems: [] } }, `${space}`);
  }
});

test('what is broken in a dump hides nothing else, and a dump that was cut short is noticed', async (t) => {
  const today = await todaysFolder(t);
  const [one, two] = [today.add(), today.add()] as const;
  const dump = join(await temporaryFolder(t), 'dump');
  const lines = [
    JSON.stringify(asObject(one)).slice(0, 100),
    '{',
    '  "key": "x",',
    JSON.stringify(asObject(one)),
    JSON.stringify(asObject(one)),
    JSON.stringify(asObject(two, { key: one.uuid })),
    JSON.stringify(asObject(two, { bucket: 'ufds_o_smartdc' })),
    'an error of some tool',
    JSON.stringify(asObject(two, { _count: 1234 })),
  ];
  writeFileSync(dump, lines.join('\n'));
  const place = await newPlace(t);
  const { code, report } = await importInto(place, dump, '--files', today.path);
  t.equal(code, 1);
  t.strictSame(report.images.map(({ uuid }) => uuid).toSorted(), [one.uuid, two.uuid].toSorted());
  const problems = report.problems.map(({ where, reasons: [why = ''] }) => `${where}: ${why}`);
  t.match(problems, [
    /^line 1: it is not valid JSON/,
    /^line 2: it is not valid JSON/,
    /^line 5: it is a second record of .*, as is that in line 4$/,
    /^line 6: its key is .*, but its uuid /,
    /^line 7: it is from the bucket "ufds_o_smartdc", not from "imgapi_images"$/,
    /^line 8: it is not valid JSON/,
    /^the end: only 8 of 1234 objects are in the dump: findobjects -l 1234$/,
  ]);
});

test('records that this service wrote beside today’s IMGAPI keep their shares, and lose what was under way', async (t) => {
  const today = await todaysFolder(t);
  const shared = today.add({
    ...{ owner: ALICE, public: false, acl: [BOB], rev: 9 },
    shares: [{ entry: BOB }, { entry: 'carol', account: CAROL, shared_at: '2024-01-01T00:00:00.000Z' }],
    ...{ grants: [CAROL], intent_lease: '2024-01-01T00:00:00.000Z', intent: { object: 'x', session: 'y' } },
  });
  const dead = today.add({ state: 'deleting', activated: false });
  const copied = today.add({
    owner: ALICE,
    public: false,
    state: 'creating',
    activated: false,
    copy: { state: 'live', datacenter: 'x' },
  });
  const dump = join(await temporaryFolder(t), 'dump');
  writeFileSync(dump, [shared, dead, copied].map((made) => JSON.stringify(asObject(made))).join('\n'));
  const place = await newPlace(t, {});
  const { report } = await importInto(place, dump, '--files', today.path);
  t.match(report, {
    images: [{ uuid: shared.uuid }],
    problems: [{ reasons: [/being deleted/] }, { reasons: [/placeholder of a copy/] }],
  });
  const server = await startInProcess(t, {}, { dataDir: place.dataDir });
  for (const account of [BOB, CAROL]) {
    t.match(await server.client({ account }).getImage(shared.uuid), { uuid: shared.uuid });
  }
  t.match(await server.client().getImage(shared.uuid), { acl: [BOB, 'carol'] });
});

test('what is exported is what today’s IMGAPI stores, and comes back as it was', async (t) => {
  const server = await startInProcess(t);
  const client = server.client();
  const tags = { role: 'db', big: { a: [1] }, n: 1, no: false, long: 'x'.repeat(200) };
  const { image, bytes } = await makeImage(client, {
    owner: ALICE,
    tags,
    acl: [BOB, 'carol'],
    billing_tags: ['b'],
    traits: { ssd: true },
  });
  const child = await makeImage(client, { owner: ALICE, origin: image.uuid, name: 'child' }, { activate: false });
  const zvol = await makeImage(client, {
    ...{ owner: ADMIN, type: 'zvol', os: 'linux', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host' },
    ...{ image_size: 10240, requirements: { min_ram: 512, networks: [{ name: 'net0', description: 'public' }] } },
  });
  await client.addImageIcon(image.uuid, randomBytes(100), 'image/gif');
  const folder = await temporaryFolder(t);
  const dump = join(folder, 'images.dump');
  const from = await newPlace(t, {}, server.dataDir);
  const ran = await runImgapiadm(['export-data', dump, '-f', from.file]);
  t.match(ran, { code: 0, stdout: new RegExp(`^${image.uuid}: shared with logins, which are left out\n3 images in `) });
  t.equal(statSync(dump).mode & 0o777, 0o600);
  const lines = readFileSync(dump, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.strictSame(new Set(lines.map(({ bucket }) => bucket)), new Set(['imgapi_images']));
  const { value } = lines.find(({ key }) => key === image.uuid);
  t.match(value, {
    ...{ v: 2, uuid: image.uuid, owner: ALICE, activated: true, disabled: false, public: false, state: 'active' },
    ...{ acl: [BOB], tagsObj: tags, billing_tags: ['b'], traits: { ssd: true } },
    tags: ['role=db', 'big=', 'n=1', 'no=false', 'long='],
    files: [{ size: bytes.length, contentMD5: /==$/, mtime: /Z$/, stor: 'local', compression: 'none' }],
    icon: { contentType: 'image/gif', size: 100, stor: 'local' },
  });
  for (const { value: record } of lines) {
    for (const ours of ['rev', 'shares', 'grants', 'intent', 'left', 'copied_from']) t.notOk(ours in record, ours);
  }

  // The bucket of today's IMGAPI takes them, with its indexes.
  const moray = await rawClient(t, await morayDouble(t));
  await makeTodaysBucket(moray);
  for (const { key, value: record } of lines) await moray.put('imgapi_images', key, record);
  const found = await moray.find('imgapi_images', `(&(tags=role=db)(activated=true)(acl=${BOB}))`);
  t.match(found, [{ key: image.uuid, value: { tagsObj: tags } }]);

  // And from there it comes back.
  const place = await newPlace(t, {});
  const back = await importInto(place, dump, '--files', join(server.dataDir, 'storage'));
  t.match(back, { code: 0, report: { problems: [] } });
  const again = await startInProcess(t, {}, { dataDir: place.dataDir });
  for (const { uuid } of [image, child.image, zvol.image]) {
    const [before, after] = await Promise.all([client, again.client()].map((one) => one.getImage(uuid)));
    t.strictSame({ ...after, acl: undefined }, { ...before, acl: undefined });
  }
});

test('a folder is exported for the way back, whose files are not copied', async (t) => {
  const server = await startInProcess(t, PUBLIC);
  const client = server.client({ version: '*' });
  const { image, bytes } = await makeImage(client, { public: true, owner: '00000000-0000-0000-0000-000000000000' });
  await client.addImageIcon(image.uuid, randomBytes(100), 'image/gif');
  const target = join(await temporaryFolder(t), 'before');
  const from = await newPlace(t, PUBLIC, server.dataDir);
  t.match(await runImgapiadm(['export-data', target, '--folder', '-f', from.file]), {
    code: 0,
    stdout: /^1 image in /,
  });
  const file = join(target, 'images', image.uuid.slice(0, 3), image.uuid, 'file0');
  t.ok(readFileSync(file).equals(bytes));
  t.equal(statSync(file).nlink, 2);
  const raw = JSON.parse(readFileSync(join(target, 'manifests', `${image.uuid}.raw`), 'utf8'));
  t.match(raw, {
    uuid: image.uuid,
    state: 'active',
    activated: true,
    files: [{ stor: 'local' }],
    icon: { stor: 'local' },
  });
  t.ok(existsSync(join(target, 'images', image.uuid.slice(0, 3), image.uuid, 'icon')));
  t.match(await runImgapiadm(['export-data', target, '--folder', '-f', from.file]), { code: 0 }, 'once more');

  // Over a folder of before: other bytes of the same size, and an image that was deleted here.
  const old = join(await temporaryFolder(t), 'old');
  cpSync(target, old, { recursive: true });
  const damaged = join(old, 'images', image.uuid.slice(0, 3), image.uuid, 'file0');
  writeFileSync(damaged, randomBytes(bytes.length));
  const gone = '11111111-2222-4333-8444-555555555555';
  writeFileSync(join(old, 'manifests', `${gone}.raw`), '{}');
  t.match(await runImgapiadm(['export-data', old, '--folder', '-f', from.file]), {
    code: 1,
    stdout: new RegExp(`^${gone}: it is not here; remove manifests/${gone}.raw`),
  });
  t.ok(readFileSync(damaged).equals(bytes));

  // On another disk it is copied.
  const copy = join(await temporaryFolder(t), 'copy');
  cpSync(target, copy, { recursive: true });
  const place = await newPlace(t);
  t.match(await importInto(place, copy), { code: 0, report: { images: [{ uuid: image.uuid }] } });
});
