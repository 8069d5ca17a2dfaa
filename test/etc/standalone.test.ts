/** The configuration of a standalone IMGAPI, used as it is on the data of that IMGAPI: its images, its keys, its Manta. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { loadPrivateKey } from '#lib/signing/keys.ts';
import { classicSigner } from '#lib/signing/signers.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { newDirectory, newObject } from '../doubles/manta/tree.ts';
import { mantaFor } from '../engines/manta.ts';
import { waitFor } from '../helpers/wait.ts';
import { runImgapiadm } from '../src/cli/capture.ts';
import { KEYS } from '../src/imgapi/fixtures/signing.ts';
import { todaysFolder } from '../src/takeover/fixtures/todays-folder.ts';
import { startFile } from './start-file.ts';

const FILE = 'test/etc/rendered/standalone.json';

test('the images and keys of a standalone IMGAPI are served on its own configuration', async (t) => {
  const today = await todaysFolder(t);
  const { double, keys } = await mantaFor(t);
  const { url: mantaUrl, key } = keys.manta as Record<'url' | 'key', string>;
  const keyId = (await loadPrivateKey(key)).publicKey.fingerprints.sha256;
  const folder = ['admin', 'stor', 'images.example.com'];
  const below = (...names: string[]) => [...folder, ...names];
  const put = (parts: string[], content: Buffer) => {
    for (let length = 3; length < parts.length; length += 1) {
      const above = parts.slice(0, length);
      if (!double.tree.find(above)) double.tree.put(above, newDirectory(0));
    }
    double.tree.put(parts, newObject(content, { contentType: 'text/plain', copies: 2, headers: {} }, 0));
  };
  const local = today.add({ channels: ['dev'] });
  const there = today.add({ channels: ['release'] }, { file: { stor: 'manta' }, stored: undefined });
  put(below('images', there.uuid.slice(0, 3), there.uuid, 'file0'), there.bytes);
  today.key('mary', `${KEYS.ed25519.publicKey.openssh}\n`);
  put(below('authkeys', 'sue.keys'), Buffer.from(`# of Sue\n${KEYS.rsa.publicKey.openssh}\n`));

  const places = {
    '"mode": "public",': `"mode": "public", "port": 0, "dataDir": "${today.path}",`,
    'https://us-east.manta.example.com': mantaUrl,
    '/data/imgapi/etc/imgapi-img0.id_rsa': key,
    'SHA256:FvA0sM4vC2Y3m1cYb9nV7Uo1jQ0k8B1Cw2c5d6e7f8g': keyId,
  };
  const server = await startFile(t, FILE, { folder: join(today.path, 'etc'), places });
  const config = join(today.path, 'etc', 'imgapi.config.json');
  t.match(await runImgapiadm(['check-config', config, '--strict']), { code: 0 }, 'comments are no unknown keys');
  const ran = await runImgapiadm(['import-data', today.path, '-f', config]);
  t.match(ran, { code: 0, stdout: /2 imported/ }, ran.stdout + ran.stderr);

  const as = (keyId: string, key = KEYS.ed25519) => {
    const client = new ImgapiClient({
      url: server.clientUrl,
      version: '*',
      channel: '*',
      signer: classicSigner({ key, keyId }),
    });
    t.teardown(() => client.destroy());
    return client;
  };
  const nobody = new ImgapiClient({ url: server.clientUrl, version: '*' });
  t.teardown(() => nobody.destroy());
  t.strictSame(
    (await nobody.listImages()).map(({ uuid }) => uuid),
    [local.uuid],
    'of the channel that is meant without any',
  );
  for (const { uuid, bytes } of [local, there]) {
    const { stream } = await as('mary').getImageFile(uuid);
    t.ok(Buffer.concat(await stream.toArray()).equals(bytes));
  }
  // The keys in Manta are mirrored.
  await waitFor(
    'the mirror',
    async () =>
      (
        await as('sue', KEYS.rsa)
          .ping()
          .catch(() => undefined)
      )?.user === 'sue',
  );
  put(below('authkeys', 'tim.keys'), Buffer.from(`${KEYS.rsa.publicKey.openssh}\n`));
  double.tree.remove(below('authkeys', 'sue.keys'));
  await as('mary').adminReloadAuthKeys();
  t.match(await as('tim', KEYS.rsa).ping(), { user: 'tim' });
  await t.rejects(as('sue', KEYS.rsa).ping(), { code: 'UnauthorizedError' });
  await server.stop();
});

test('an engine that is not built in is named in the error', async (t) => {
  const folder = t.testdir();
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'config.json');
  for (const [keys, message] of [
    [{ databaseType: 'ufds' }, 'databaseType: "ufds" is not right; it must be one of "local", "postgres", "moray"'],
    [
      { storageTypes: ['local', 'gcs'] },
      'storageTypes[1]: "gcs" is not right; it must be one of "local", "manta", "s3"',
    ],
  ] as const) {
    writeFileSync(file, JSON.stringify(keys));
    await t.rejects(loadConfig(file), { message: new RegExp(message.replace(/[[\]"]/g, '.')) });
  }
});
