/** `imgapiadm import-data URL`: what a running IMGAPI shows, over good connections and bad ones. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { classicSigner } from '#lib/signing/signers.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage, sha1Of } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';
import { waitFor } from '../../helpers/wait.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { AUTH_KEYS, KEYS, pemOf } from '../imgapi/fixtures/signing.ts';
import { bytesServed, importInto, newPlace, PUBLIC } from './fixtures/import.ts';

const MiB = 1024 ** 2;

test('images in all states come from a datacenter, with what operators see of them', async (t) => {
  const source = await startInProcess(t);
  const client = source.client();
  const base = await makeImage(client, {
    owner: ALICE,
    acl: [BOB],
    tags: { a: 'b' },
    billing_tags: ['x'],
    traits: { ssd: true },
  });
  await client.addImageIcon(base.image.uuid, randomBytes(100), 'image/jpeg');
  const child = await makeImage(client, { owner: ALICE, origin: base.image.uuid, name: 'child' });
  await client.disableImage(child.image.uuid);
  const fresh = await makeImage(client, { owner: BOB, name: 'fresh' }, { activate: false });
  const bare = await client.createImage({ name: 'bare', version: '1', type: 'other', os: 'other', owner: BOB });
  const place = await newPlace(t, {});
  const dry = await importInto(place, source.url, '--dry-run');
  t.equal(dry.report.images.length, 4);
  const { code, report } = await importInto(place, source.url);
  t.strictSame({ code, problems: report.problems, remarks: report.remarks }, { code: 0, problems: [], remarks: [] });

  const server = await startInProcess(t, {}, { dataDir: place.dataDir });
  const here = server.client();
  for (const { uuid } of [base.image, child.image, fresh.image, bare]) {
    const [there, own] = await Promise.all([client, here].map((one) => one.getImage(uuid, { inclAdminFields: true })));
    t.strictSame(own, there);
  }
  for (const { image, bytes } of [base, child, fresh]) {
    const [there, own] = await Promise.all([source, server].map((one) => bytesServed(one, image.uuid)));
    t.ok(own?.bytes.equals(bytes));
    t.equal(own?.headers['last-modified'], there?.headers['last-modified'], 'the date of the file is kept');
  }
  const icon = await here.getImageIcon(base.image.uuid);
  t.equal(icon.contentType, 'image/jpeg');
  icon.stream.destroy();
  t.match(await importInto(place, source.url), { code: 0, report: { same: 4, images: [] } });

  // While clients still use the one of before.
  await client.activateImage(fresh.image.uuid);
  await client.updateImage(base.image.uuid, { description: 'changed' });
  const later = await makeImage(client, { owner: ALICE, name: 'later' });
  const again = await importInto(place, source.url);
  t.match(again, { code: 0, report: { same: 2, problems: [] } });
  t.equal(again.report.images.length, 3);
  t.match(await here.getImage(fresh.image.uuid), { state: 'active' });
  t.match(await here.getImage(later.image.uuid), { name: 'later' });
});

test('a server that asks for signatures shows everything to who signs', async (t) => {
  const source = await startInProcess(t, { ...PUBLIC, authType: 'signature', authKeys: AUTH_KEYS });
  const sue = source.client({ version: '*', signer: classicSigner({ key: KEYS.ed25519, keyId: 'sue' }) });
  const nobody = '00000000-0000-0000-0000-000000000000';
  await makeImage(sue, { public: true, owner: nobody });
  const hidden = await makeImage(sue, { public: true, owner: nobody }, { activate: false });
  const place = await newPlace(t);
  t.equal((await importInto(place, source.url)).report.images.length, 1, 'without a signature');
  const key = join(t.testdir(), 'key');
  await writeFile(key, pemOf(KEYS.ed25519), { mode: 0o600 });
  const signed = await importInto(place, source.url, '--sign-as', 'sue', '--key', key);
  t.match(signed, { code: 0, report: { same: 1, images: [{ uuid: hidden.image.uuid }] } });
  const wrong = await runImgapiadm(['import-data', source.url, '-f', place.file, '--sign-as', 'john', '--key', key]);
  t.match(wrong, { code: 1, stderr: /Unauthorized/ });
});

test('channels come along where the server here has them', async (t) => {
  const channels = [
    { name: 'dev', description: 'x', default: true },
    { name: 'release', description: 'y' },
  ];
  const source = await startInProcess(t, { ...PUBLIC, channels });
  const client = source.client({ version: '*' });
  const owner = '00000000-0000-0000-0000-000000000000';
  const { image } = await makeImage(client, { public: true, owner });
  const second = await makeImage(source.client({ version: '*', channel: 'release' }), { public: true, owner });
  await client.channelAddImage(image.uuid, { channel: 'release' });
  const place = await newPlace(t, { ...PUBLIC, channels });
  const all = await importInto(place, source.url);
  t.strictSame([all.report.images.length, all.report.problems], [2, []], 'those of all channels');
  const server = await startInProcess(t, { ...PUBLIC, channels }, { dataDir: place.dataDir });
  const here = server.client({ version: '*', channel: '*' });
  t.match(await here.getImage(image.uuid), { channels: ['dev', 'release'] });
  t.match(await here.getImage(second.image.uuid), { channels: ['release'] });

  const without = await newPlace(t);
  t.match(await importInto(without, source.url), { code: 0, report: { images: [{}, {}] } });
  const plain = await startInProcess(t, PUBLIC);
  await makeImage(plain.client({ version: '*' }), { public: true, owner });
  const refused = await importInto(place, plain.url);
  t.match(refused, { code: 1, report: { problems: [{ reasons: [/"channels" is missing/] }] } });
  t.match(await importInto(place, plain.url, '--channel', 'dev'), { code: 0, report: { images: [{}] } });
});

test('connections that break cost no image, and no byte twice', async (t) => {
  const source = await startInProcess(t, PUBLIC);
  const { image, bytes } = await makeImage(
    source.client({ version: '*' }),
    { public: true, owner: '00000000-0000-0000-0000-000000000000' },
    { size: 8 * MiB },
  );
  const proxy = await startTcpProxy(Number(new URL(source.url).port));
  t.teardown(() => proxy.close());
  proxy.trouble = { kind: 'cut', after: 3 * MiB, bytesPerSecond: 20 * MiB };
  const place = await newPlace(t);
  t.match(await importInto(place, proxy.url), { code: 0, report: { problems: [] } });
  t.ok(proxy.received < 14 * MiB, `${proxy.received} bytes came for ${bytes.length}`);
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  t.equal(sha1Of((await bytesServed(server, image.uuid)).bytes), sha1Of(bytes));
});

test('a server without ranges is asked again from the beginning, and one that lies is not believed', async (t) => {
  const source = await oldServer(t);
  const [cut, lying, gone] = [source.add({ cuts: 2 }), source.add({ lies: true }), source.add({ lacks: true })];
  const good = source.add({});
  const place = await newPlace(t);
  const { code, report } = await importInto(place, source.url);
  t.equal(code, 1);
  t.strictSame(report.images.map(({ uuid }) => uuid).toSorted(), [cut.uuid, good.uuid].toSorted());
  const reasons = new Map(report.problems.map(({ uuid, reasons: [why = ''] }) => [uuid, why]));
  t.match(reasons.get(lying.uuid), /file0: its bytes have sha1/);
  t.match(reasons.get(gone.uuid), /file0: /);
  const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
  t.ok((await bytesServed(server, cut.uuid)).bytes.equals(cut.bytes));
});

test('a server that is gone in the midst of it ends the import, and another run goes on', async (t) => {
  const source = await startInProcess(t, PUBLIC);
  const client = source.client({ version: '*' });
  for (let i = 0; i < 4; i++) {
    await makeImage(
      client,
      { public: true, owner: '00000000-0000-0000-0000-000000000000', version: `${i}` },
      { size: 2 * MiB },
    );
  }
  const proxy = await startTcpProxy(Number(new URL(source.url).port));
  t.teardown(() => proxy.close());
  const place = await newPlace(t);
  proxy.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
  const running = runImgapiadm(['import-data', proxy.url, '-f', place.file]);
  await waitFor('three MiB', () => proxy.received > 3 * MiB);
  proxy.trouble = { kind: 'refuse' };
  proxy.cutAll();
  t.not((await running).code, 0);
  proxy.trouble = { kind: 'none' };
  const { code, report } = await importInto(place, proxy.url);
  t.strictSame({ code, problems: report.problems }, { code: 0, problems: [] });
  t.equal(report.images.length + report.same, 4);
});

test('of a server that cannot be reached nothing is said that would help with another one', async (t) => {
  const place = await newPlace(t);
  const { code, stderr } = await runImgapiadm(['import-data', 'http://127.0.0.1:1', '-f', place.file]);
  t.equal(code, 3);
  t.match(stderr, /\(Unreachable\): http:\/\/127\.0\.0\.1:1\S* cannot be reached.*\n +run it again/);
  t.notMatch(stderr, '--url');
});

for (const [how, signal] of [
  ['killed', 'SIGKILL'],
  ['interrupted', 'SIGINT'],
] as const) {
  test(`an import that is ${how} in the midst of a file goes on at the byte where it was`, async (t) => {
    const source = await startInProcess(t, PUBLIC);
    const owner = '00000000-0000-0000-0000-000000000000';
    const { image, bytes } = await makeImage(
      source.client({ version: '*' }),
      { public: true, owner },
      { size: 8 * MiB },
    );
    const proxy = await startTcpProxy(Number(new URL(source.url).port));
    t.teardown(() => proxy.close());
    proxy.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
    const place = await newPlace(t);
    const { NODE_OPTIONS: _, ...env } = process.env;
    const args = ['src/cli/imgapiadm/main.ts', 'import-data', proxy.url, '-f', place.file];
    const child = spawn(process.execPath, args, { stdio: 'ignore', env });
    const gone = once(child, 'exit');
    await waitFor('five MiB', () => proxy.received > 5 * MiB);
    child.kill(signal);
    await gone;
    proxy.trouble = { kind: 'none' };
    const before = proxy.received;
    t.match(await importInto(place, proxy.url), { code: 0, report: { images: [{ uuid: image.uuid }] } });
    t.ok(proxy.received - before < 6 * MiB, `${proxy.received - before} bytes came afterwards`);
    const server = await startInProcess(t, PUBLIC, { dataDir: place.dataDir });
    t.ok((await bytesServed(server, image.uuid)).bytes.equals(bytes));
    const staged = await server.imgapi.service.storages.preferred.sessions();
    t.strictSame(
      staged.filter(({ session }) => session.startsWith('import.')),
      [],
    );
  });
}

interface OldImage {
  readonly uuid: string;
  readonly bytes: Buffer;
}

/** Lists and serves images as an IMGAPI without ranges does; told to break off, to lie, or to lack the bytes. */
async function oldServer(t: Test) {
  interface Ill {
    cuts?: number;
    readonly lies?: boolean;
    readonly lacks?: boolean;
  }
  const images = new Map<string, OldImage & { ill: Ill }>();
  const manifestOf = ({ uuid, bytes }: OldImage) => ({
    ...{
      v: 2,
      uuid,
      owner: '00000000-0000-0000-0000-000000000000',
      name: 'old',
      version: '1',
      type: 'other',
      os: 'other',
    },
    ...{ state: 'active', disabled: false, public: true, published_at: '2020-01-02T03:04:05.006Z' },
    files: [{ sha1: sha1Of(bytes), size: bytes.length, compression: 'none' }],
  });
  const server = createServer((request, response) => {
    const [, uuid, file] = /^\/images(?:\/([^/?]+)(\/file)?)?/.exec(request.url ?? '') ?? [];
    const image = images.get(uuid ?? '');
    if (uuid === undefined) response.end(JSON.stringify([...images.values()].map(manifestOf)));
    else if (!image || (file && image.ill.lacks)) {
      response.statusCode = 404;
      response.end(JSON.stringify({ code: 'ResourceNotFound', message: 'there is no file' }));
    } else if (!file) response.end(JSON.stringify(manifestOf(image)));
    else {
      const bytes = image.ill.lies ? randomBytes(image.bytes.length) : image.bytes;
      response.setHeader('content-length', bytes.length);
      const cuts = image.ill.cuts ?? 0;
      image.ill.cuts = cuts - 1;
      if (cuts <= 0) response.end(bytes);
      else response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.destroySoon());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(ill: Ill): OldImage {
      const image = { uuid: crypto.randomUUID(), bytes: randomBytes(300_000), ill };
      images.set(image.uuid, image);
      return image;
    },
  };
}
