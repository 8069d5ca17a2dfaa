import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { CapturedSink, runImgapiadm } from '../../capture.ts';
import { BASE, image, UUID } from '../../fixtures.ts';
import { json, playBack } from '../../playback.ts';

const BYTES = Buffer.concat([Buffer.from('1f8b', 'hex'), Buffer.alloc(300_000)]);
const STORED = {
  sha1: createHash('sha1').update(BYTES).digest('hex'),
  size: BYTES.length,
  compression: 'gzip',
} as const;
const FIELDS = [
  'name=my-image',
  'version=1.0.0',
  'type=zvol',
  'image_size=1',
  'public=false',
  'acl=bob,carol',
  'tags={"a":1}',
];

/** The image before it has a file. */
const NEW = {
  'POST /images': json(image({ state: 'unactivated', files: [] })),
  [`GET /images/${UUID}`]: json(image({ state: 'unactivated', files: [] })),
};

function fileOf(dir: string, bytes = BYTES): string {
  const file = join(dir, 'image.gz');
  writeFileSync(file, bytes);
  return file;
}

test('an image is made of fields and a file, and a terminal shows how far the upload is', async (t) => {
  const server = await playBack(t, {
    ...NEW,
    [`PUT /images/${UUID}/file`]: json(image({ state: 'unactivated', files: [STORED] })),
    [`POST /images/${UUID}`]: json(image({ files: [STORED] })),
  });
  const file = fileOf(t.testdir());
  const stderr = new CapturedSink(true);
  const ran = await runImgapiadm(['create', ...FIELDS, '-f', file, '-u', server.url], { stderr });
  t.equal(ran.stdout, `Image ${UUID} (my-image@1.0.0) is created of 293 KiB of ${file} (gzip), and active.\n`);
  t.match(ran.stderr, /uploading {2}100% {2}293 of 293 KiB {2}.+\/s {2}stored/);
  const [created, , sent, activated] = server.asked;
  t.strictSame(JSON.parse(created?.body ?? ''), {
    ...{ name: 'my-image', version: '1.0.0', type: 'zvol', image_size: 1, public: false },
    ...{ acl: ['bob', 'carol'], tags: { a: 1 } },
  });
  t.match(sent, { path: /compression=gzip/, headers: { 'content-length': String(BYTES.length) } });
  t.match(activated, { path: /action=activate/ });
});

test('an upload that fails leaves the image, and says how to go on', async (t) => {
  const server = await playBack(t, {
    ...NEW,
    [`PUT /images/${UUID}/file`]: json({ code: 'InsufficientStorage', message: 'no room' }, 507),
  });
  const { code, stdout, stderr } = await runImgapiadm([
    'create',
    'name=a',
    '-f',
    fileOf(t.testdir()),
    '-u',
    server.url,
  ]);
  t.strictSame([code, stdout], [1, '']);
  t.match(
    stderr,
    new RegExp(`^Image ${UUID} is created; its file follows\\.\n`),
    'before anything can end the command',
  );
  t.match(stderr, new RegExp(`To go on: {2}imgapiadm upload ${UUID} .*image.gz -c gzip --activate -u ${server.url}\n`));
  t.match(stderr, 'error (InsufficientStorage): no room');
});

test('bytes that the server has otherwise are no success', async (t) => {
  const server = await playBack(t, { ...NEW, [`PUT /images/${UUID}/file`]: json(image()) });
  const ran = await runImgapiadm(['upload', UUID, fileOf(t.testdir()), '-u', server.url]);
  t.match(ran, { code: 1, stdout: '', stderr: /\(UploadDiffers\).* has a file with the SHA-1 0{40}, but / });
});

test('an upload that is run again when all of it was done is no failure', async (t) => {
  const server = await playBack(t, { [`GET /images/${UUID}`]: json(image({ files: [STORED] })) });
  const ran = await runImgapiadm(['upload', UUID, fileOf(t.testdir()), '--activate', '-u', server.url]);
  t.match(ran, { code: 0, stdout: / has 293 KiB of .*, and is active\.\n$/, stderr: '' });
  t.equal(server.asked.length, 1);
});

test('a store that the server does not have is not waited for', async (t) => {
  const message = 'the object store "tape" is not configured here';
  const server = await playBack(t, {
    ...NEW,
    [`PUT /images/${UUID}/file`]: json({ code: 'StorageIsDown', message }, 503),
  });
  const ran = await runImgapiadm(['upload', UUID, fileOf(t.testdir()), '--storage', 'tape', '-u', server.url]);
  t.match(ran, { code: 1, stdout: '', stderr: `error (StorageIsDown): ${message}` });
});

const WRONG: readonly [args: readonly string[], message: string][] = [
  [['create', 'nam=x'], 'unknown field "nam"; did you mean "name"?'],
  [['create', 'public=maybe'], 'public is "maybe"; it must be true or false'],
  [['create', 'tags={'], 'tags is "{"; it must be JSON'],
  [['create', 'name'], '"name" is wrong; it must be FIELD=VALUE'],
  [['create', '-c', 'zip'], 'option -c is "zip"; it must be one of gzip, bzip2, xz, none'],
  [['update', UUID], 'nothing to change: give FIELD=VALUE, or -m FILE'],
  [['import'], 'give -S URL, or -m FILE with the manifest'],
  [['import', 'x'], 'UUID is "x"; it must be a UUID'],
  [['import', '-m', '/dev/null', '--finish-by', '2026-01-31'], '--finish-by is for an import with -S URL'],
  [['import', '-S', 'http://localhost'], 'with -S URL give the UUID of the image, and neither -m nor -f'],
];

for (const [args, message] of WRONG) {
  test(`${args.join(' ')}: ${message}`, async (t) => {
    const server = await playBack(t, {});
    const { code, stderr } = await runImgapiadm([...args, '-u', server.url]);
    t.equal(code, 2);
    t.match(stderr, `error (Usage): ${message}\n`);
    t.equal(server.asked.length, 0);
  });
}

test('a file that cannot be sent is told before anything is made', async (t) => {
  const server = await playBack(t, {});
  const empty = fileOf(t.testdir(), Buffer.alloc(0));
  for (const [path, why] of [
    [empty, 'it is empty'],
    ['/nosuch', 'there is no such file'],
    ['/', 'it is no file'],
  ] as const) {
    const ran = await runImgapiadm(['create', 'name=a', '-f', path, '-u', server.url]);
    t.match(ran, { code: 1, stderr: `error (LocalFile): ${path} cannot be uploaded: ${why}` });
  }
  const zipped = fileOf(t.testdir(), gzipSync('bytes'));
  const ran = await runImgapiadm(['create', 'name=a', '-f', zipped, '-c', 'xz', '-u', server.url]);
  t.match(ran, { code: 1, stderr: 'cannot be uploaded: it does not begin as xz does, but as gzip' });
  t.equal(server.asked.length, 0);
});

test('an import is told by when it is to have ended', async (t) => {
  const server = await playBack(t, { [`POST /images/${UUID}`]: json({ image_uuid: UUID, job_uuid: BASE }) });
  const finish_by = '2026-01-31T12:00:00Z';
  const args = ['import', UUID, '-S', 'http://far.example.com', '--finish-by', finish_by, '--no-wait'];
  t.match(await runImgapiadm([...args, '-u', server.url]), { code: 0, stdout: /^Ordered: / });
  const asked = new URL(server.asked[0]?.path ?? '', server.url).searchParams;
  t.match(Object.fromEntries(asked), { action: 'import-remote', source: 'http://far.example.com', finish_by });
});

test('a name that several images have deletes none of them', async (t) => {
  const images = [image(), image({ uuid: BASE, version: '0.9.0' })];
  const server = await playBack(t, {
    'GET /images': json(images),
    [`DELETE /images/${BASE}`]: (response) => {
      response.writeHead(204);
      response.end();
    },
  });
  const ran = await runImgapiadm(['delete', 'my-image', '-u', server.url]);
  t.match(ran, { code: 1, stderr: /\(Ambiguous\): "my-image" names 2 images; say which one you mean\n/ });
  t.strictSame(await runImgapiadm(['delete', 'my-image@0.9.0', '--purge', '-u', server.url]), {
    ...{ code: 0, stderr: '', stdout: `Image ${BASE} is deleted.\n` },
  });
  t.match(server.asked.at(-1), { method: 'DELETE', path: /purge=true/ });
});

test('no image is made for a store that there is not, nor in one that an account may not choose', async (t) => {
  const server = await playBack(t, { ...NEW, 'GET /state': json({ storageTypes: ['local', 'fast'] }) });
  const args = ['create', ...FIELDS, '-f', fileOf(t.testdir()), '-u', server.url, '--storage', 'tape'];
  const ran = await runImgapiadm(args);
  t.match(ran, { code: 1, stderr: /\(InvalidParameter\): storage is "tape"; the stores here are: local, fast\n$/ });
  const asAccount = await runImgapiadm([...args, '-a', '930896af-bf8c-48d4-885c-6573a94b1853']);
  t.match(asAccount, { code: 1, stderr: /\(InvalidParameter\): only operators may choose the storage/ });
  t.strictSame(
    server.asked.filter(({ method }) => method === 'POST'),
    [],
  );
});
