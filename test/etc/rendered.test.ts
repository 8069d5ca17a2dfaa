/**
 * Configurations as Triton's template renders them, with what nobody has set in them left empty: the server starts with each
 * as it is, but for the places of the engines, on the bucket and the files of the IMGAPI that ran before.
 */
import { randomBytes } from 'node:crypto';
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { loadPrivateKey } from '#lib/signing/keys.ts';
import { type SdcImgapi, sdcImgapi } from '../clients/sdc-clients/client.ts';
import { newDirectory, newObject, type Tree } from '../doubles/manta/tree.ts';
import { mantaFor } from '../engines/manta.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { spawnCloudapi, tritonOf } from '../helpers/cloudapi.ts';
import { MANIFEST, sha1Of } from '../helpers/images.ts';
import { LOCALS, people, putRecord, type Zone, zoneFor } from './rendered/zone.ts';
import { type Places, startFile } from './start-file.ts';

const HERE = join(import.meta.dirname, 'rendered');
const MANTAS = '77777777-7777-4777-8777-777777777777';

interface Started extends Zone {
  readonly url: string;
  readonly call: SdcImgapi;
  readonly log: () => Record<string, unknown>[];
}

/** @param places by the text that stands for each in the file */
async function start(t: Test, name: string, places: Places = {}): Promise<Started> {
  const zone = await zoneFor(t);
  const imgapi = await startFile(t, join(HERE, `${name}.json`), {
    folder: join(zone.dataDir, 'etc'),
    places: { ...zone.places, ...places },
  });
  const url = imgapi.clientUrl;
  return { ...zone, url, call: sdcImgapi(t, url), log: () => imgapi.records() };
}

const notesIn = (log: readonly Record<string, unknown>[]): string[] =>
  log.map(({ msg }) => String(msg)).filter((msg) => /^[\w.]+: /.test(msg));

/** As the operators' tools and CloudAPI do it. */
async function makeAndShare(t: Test, { call }: Started): Promise<string> {
  const file = join(t.testdir(), 'file');
  const bytes = randomBytes(200_000);
  await writeFile(file, bytes);
  const uuid = (await call('createImage', MANIFEST, ALICE))['uuid'] as string;
  await call('addImageFile', { uuid, file, compression: 'none', sha1: sha1Of(bytes) }, ALICE);
  t.match(await call('activateImage', uuid, ALICE), { state: 'active' });
  t.same((await call('addImageAcl', uuid, [BOB], ALICE))['acl'], [BOB]);
  await call('getImageFile', uuid, `${file}.read`, BOB);
  t.ok((await readFile(`${file}.read`)).equals(bytes));
  return uuid;
}

async function contentOf(t: Test, call: SdcImgapi, uuid: string): Promise<string> {
  const path = join(t.testdir(), 'content');
  await call('getImageFile', uuid, path);
  return readFile(path, 'utf8');
}

const storOf = async (call: SdcImgapi, uuid: string): Promise<unknown> =>
  ((await call('getImage', uuid, undefined, { inclAdminFields: true }))['files'] as { stor: unknown }[])[0]?.stor;

function place(tree: Tree, path: string, text: string): void {
  const parts = path.slice(1).split('/');
  for (let length = 3; length < parts.length; length += 1) {
    const above = parts.slice(0, length);
    if (!tree.find(above)) tree.put(above, newDirectory(0));
  }
  tree.put(parts, newObject(Buffer.from(text), { contentType: 'application/octet-stream', copies: 2, headers: {} }, 0));
}

test('without Manta, and with nothing set that need not be', async (t) => {
  // However many workers read it, what is to be said is said once.
  const started = await start(t, 'first-boot', { '"httpProxy": "",': '"httpProxy": "", "workers": 2,' });
  const { call, dataDir, log } = started;
  t.match(await call('ping'), { imgapi: true });
  t.equal(await contentOf(t, call, LOCALS), 'ten bytes.', 'local files are where today’s IMGAPI left them');
  t.equal(
    await readFile(join(dataDir, 'images/666', LOCALS, 'file0'), 'utf8'),
    'ten bytes.',
    'and for it they stay there',
  );
  t.equal(await readlink(join(dataDir, 'archive')), 'storage/archive');
  await makeAndShare(t, started);
  t.strictSame(notesIn(log()), [
    'wfapi: accepted but not used; long work runs in this service',
    'ufds: the certificate of the directory is not verified; name its CA in ufds.caFile, or set ufds.insecure',
  ]);
  t.notOk(
    log().find(({ msg }) => msg === 'the configuration has unknown keys'),
    'comments, and what is for tools, are no mistakes',
  );
});

test('with a Manta of the same cloud, through CloudAPI, and on what is in Manta already', async (t) => {
  const { double, keys } = await mantaFor(t);
  const { url: mantaUrl, key, keyId } = keys.manta as Record<'url' | 'key' | 'keyId', string>;
  // An address of its own on loopback: the metrics' port is always the same.
  const adminIp = `127.${[16, 8, 0].map((bits) => 1 + ((process.pid >> bits) % 250)).join('.')}`;
  const started = await start(t, 'manta', {
    'https://manta.us-sw.cloud.example.com': mantaUrl,
    '/root/.ssh/imgapi.id_rsa': key,
    '8a:05:2c:5f:4c:29:b3:7a:0b:50:9c:15:11:d2:2c:1e': keyId,
    '"adminIp": "10.99.99.21"': `"adminIp": "${adminIp}"`,
  });
  const { call, moray, url, ufds } = started;
  const path = `/admin/stor/imgapi/us-sw-1/images/777/${MANTAS}/file0`;
  place(double.tree, path, 'in Manta since long');
  await putRecord(moray, MANTAS, 'manta', 'in Manta since long');
  t.equal(await contentOf(t, call, MANTAS), 'in Manta since long');

  const uuid = await makeAndShare(t, started);
  t.equal(await storOf(call, uuid), 'manta');
  t.ok(double.tree.all().includes(`/admin/stor/imgapi/us-sw-1/images/${uuid.slice(0, 3)}/${uuid}/file0`));

  const cloudapi = await spawnCloudapi(t, { people: [], imgapi: url, keys: { accounts: {}, ufds } });
  const asBob = await tritonOf(t, people.bob, cloudapi.url);
  const listed = await asBob('image', 'list', '-H', '-o', 'id');
  t.strictSame(listed.stdout.trim().split('\n').toSorted(), [LOCALS, MANTAS, uuid].toSorted(), listed.stderr);
  const asAlice = await tritonOf(t, people.alice, cloudapi.url);
  t.match(await asAlice('image', 'unshare', uuid, BOB), { status: 0 });
  t.match(await asBob('image', 'get', uuid), { status: 3, stderr: /not found|no image/ });
  t.match(await asAlice('image', 'delete', '-f', uuid), { status: 0 });

  const metrics = await request(`http://${adminIp}:8881/metrics`);
  t.match(await metrics.body.text(), /document_store_operations_total\{.*store="moray"/);
});

test('with a Manta elsewhere, and all that can be set', async (t) => {
  const { keys: theirs } = await mantaFor(t);
  const { url: mantaUrl, key } = theirs.manta as Record<'url' | 'key', string>;
  const started = await start(t, 'external-manta', {
    'https://us-east.manta.example.com': mantaUrl,
    '/root/.ssh/imgapi.id_rsa': key,
    'SHA256:FvA0sM4vC2Y3m1cYb9nV7Uo1jQ0k8B1Cw2c5d6e7f8g': (await loadPrivateKey(key)).publicKey.fingerprints.sha256,
  });
  const { call, log } = started;
  const uuid = await makeAndShare(t, started);
  t.equal(await storOf(call, uuid), 'manta');
  t.equal(await storOf(call, LOCALS), 'local');
  t.strictSame(
    notesIn(log()).map((note) => note.replace(/:.*/, '')),
    [...['wfapi', 'dockerRegistryInsecure', 'httpProxy'], ...['manta.remote', 'ufds', 'manta.insecure']],
  );
  const unknown = log().find(({ msg }) => msg === 'the configuration has unknown keys');
  const keys = unknown?.['keys'] as string[];
  t.strictSame(keys.toSorted(), [...['moray.connectTimeout', 'ufds.cache']]);
  await call('deleteImage', uuid, ALICE);
});
