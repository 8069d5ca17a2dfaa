/**
 * A large upload goes on where it stopped: in one command when the connection breaks, and by the same command again. A small one
 * is sent again.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import { untilStored } from '#src/cli/shared/images/resume-upload.ts';
import { ADMIN } from '../../../helpers/accounts.ts';
import { MANIFEST, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts';
import { CapturedSink, runImgapiadm } from '../capture.ts';

const SIZE = 17 * 1024 ** 2;

test('an upload of a large file goes on', async (t) => {
  const server = await startInProcess(t);
  const client = server.client();
  const bytes = randomBytes(SIZE);
  const mark = 'here the connection breaks';
  // Twice: a piece of what passes may end in the middle of one.
  bytes.write(mark + mark, 6 * 1024 ** 2);
  const file = join(t.testdir(), 'root.img');
  writeFileSync(file, bytes);
  const newImage = async () => (await client.createImage({ ...MANIFEST, owner: ADMIN })).uuid;
  const proxy = await startTcpProxy(() => Number(new URL(server.url).port));
  t.teardown(() => proxy.close());

  await t.test('by itself, when the connection breaks', async (t) => {
    const uuid = await newImage();
    proxy.trouble = { kind: 'lose', request: mark };
    const ran = await runImgapiadm(['upload', uuid, file, '-u', proxy.url]);
    t.match(ran, { code: 0, stderr: /The upload broke off .*; going on as soon as that is possible/ });
    t.match(await client.getImage(uuid), { files: [{ sha1: sha1Of(bytes), size: SIZE }] });
  });

  for (const [when, request] of [
    ['before its first byte', '/uploads?'],
    ['when all of it was there', 'action=activate'],
  ] as const) {
    await t.test(`by itself, when the connection breaks ${when}`, async (t) => {
      const uuid = await newImage();
      proxy.trouble = { kind: 'lose', request };
      const ran = await runImgapiadm(['upload', uuid, file, '--activate', '-u', proxy.url]);
      t.match(ran, { code: 0, stderr: /The server is away .*; going on when it is back/, stdout: /is active/ });
      t.match(await client.getImage(uuid), { state: 'active', files: [{ sha1: sha1Of(bytes), size: SIZE }] });
    });
  }

  await t.test('by the same command, when another one was interrupted', async (t) => {
    const uuid = await newImage();
    const begun = await client.beginImageUpload(uuid, { compression: 'none', size: SIZE, sha1: sha1Of(bytes) });
    async function* part() {
      yield bytes.subarray(0, SIZE / 2);
    }
    await client.appendImageUpload(uuid, begun.uuid, part(), { offset: 0, size: SIZE / 2 });
    const stderr = new CapturedSink(true);
    const ran = await runImgapiadm(['upload', uuid, file, '--activate', '-u', server.url], { stderr });
    t.match(ran, { code: 0, stderr: /Going on with an earlier upload, at 8\.5 of 17 MiB\./, stdout: /is active/ });
    t.match(ran.stderr, /reading {2}.*uploading {2}100%.*stored/s);
  });

  await t.test('and what is there already is not sent again', async (t) => {
    const uuid = await newImage();
    await runImgapiadm(['upload', uuid, file, '-u', server.url]);
    const { etag } = await client.getTaggedImage(uuid);
    t.match(await runImgapiadm(['upload', uuid, file, '-u', server.url]), { code: 0, stderr: '' });
    t.equal((await client.getTaggedImage(uuid)).etag, etag);
  });

  const small = bytes.subarray(5 * 1024 ** 2, 7 * 1024 ** 2);
  const smallFile = join(t.testdir(), 'small.img');
  writeFileSync(smallFile, small);

  await t.test('a small one is sent again when the connection breaks', async (t) => {
    const uuid = await newImage();
    proxy.trouble = { kind: 'lose', request: mark };
    const ran = await runImgapiadm(['upload', uuid, smallFile, '--activate', '-u', proxy.url]);
    t.match(ran, { code: 0, stderr: /^The upload broke off .*; going on as soon as that is possible\.\n$/ });
    t.match(await client.getImage(uuid), { state: 'active', files: [{ sha1: sha1Of(small) }] });
  });

  await t.test('and not again when only the answer was lost', async (t) => {
    const uuid = await newImage();
    proxy.trouble = { kind: 'lose', request: 'PUT /images', answer: sha1Of(small) };
    const ran = await runImgapiadm(['upload', uuid, smallFile, '-u', proxy.url]);
    t.match(ran, { code: 0, stderr: /^The upload broke off / });
    t.match(await client.getImage(uuid), { files: [{ sha1: sha1Of(small) }] });
    const stored = (await client.listImageEvents(uuid)).filter(({ kind }) => kind === 'upload');
    t.equal(stored.length, 1);
  });

  await t.test('nor to a server that is not there', async (t) => {
    const uuid = await newImage();
    const ran = await runImgapiadm(['upload', uuid, smallFile, '-u', 'http://127.0.0.1:1']);
    t.match(ran, { code: 3, stderr: /^imgapiadm: error \(Unreachable\): .*\n {4}name the server/ });
  });

  await t.test('with another compression it is not what is there', async (t) => {
    const uuid = await newImage();
    const zipped = join(t.testdir(), 'small.gz');
    writeFileSync(zipped, gzipSync(small));
    for (const compression of ['none', 'gzip']) {
      t.match(await runImgapiadm(['upload', uuid, zipped, '-c', compression, '-u', server.url]), { code: 0 });
      t.match(await client.getImage(uuid), { files: [{ compression }] });
    }
  });
});

test('an upload that broke off after an hour goes on as well', async (t) => {
  let now = Date.now();
  t.intercept(Date, 'now', { value: () => now });
  const offsets: number[] = [];
  const stored = await untilStored({
    ...{ begun: { uuid: 'u', offset: 0 }, advice: '', note: () => undefined, signal: AbortSignal.timeout(60_000) },
    look: async () => ({ uuid: 'u', offset: 10 }),
    async append(offset) {
      offsets.push(offset);
      if (offset > 0) return 'stored';
      now += 3_600_000;
      throw new ImgapiUnreachableError('reset', 'http://there', 'http://there broke the connection');
    },
  });
  t.equal(stored, 'stored');
  t.same(offsets, [0, 10]);
});
