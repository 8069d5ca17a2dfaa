/** docs/taking-over.md: a standalone IMGAPI's folder, a running server, and Moray with its own tools. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { classicSigner } from '#lib/signing/signers.ts';
import { morayDouble, rawClient } from '../doubles/moray/client.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../helpers/imgapi.ts';
import { makeTodaysBucket } from '../lib/documents/moray/todays-bucket.ts';
import { AUTH_KEYS, KEYS, pemOf } from '../src/imgapi/fixtures/signing.ts';
import { newPlace, PUBLIC } from '../src/takeover/fixtures/import.ts';
import { todaysFolder } from '../src/takeover/fixtures/todays-folder.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

/** As much of Triton's `json` as the page needs. */
const JSON_TOOL = `#!/bin/sh
exec "${process.execPath}" -e 'const v = JSON.parse(require("fs").readFileSync(0))[process.argv[1]]; console.log(typeof v === "string" ? v : JSON.stringify(v))' "$1"
`;

test('every line of the page on taking over does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const today = await todaysFolder(t);
  const [one] = [today.add(), today.add()] as const;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const place = await newPlace(t, { ...PUBLIC, port }, today.path);

  const nobody = '00000000-0000-0000-0000-000000000000';
  const other = await startInProcess(t, { ...PUBLIC, authType: 'signature', authKeys: AUTH_KEYS });
  const sue = other.client({ version: '*', signer: classicSigner({ key: KEYS.ed25519, keyId: 'sue' }) });
  await makeImage(sue, { public: true, owner: nobody });
  await makeImage(sue, { public: true, owner: nobody }, { activate: false });
  const key = join(scratch, 'key');
  writeFileSync(key, pemOf(KEYS.ed25519), { mode: 0o600 });

  const moray = await morayDouble(t);
  const client = await rawClient(t, moray);
  await makeTodaysBucket(client);
  for (const { key: uuid } of await client.find('imgapi_images', '(uuid=*)')) {
    await client.call('delObject', 'imgapi_images', uuid, {});
  }
  const stored = today.add({ name: 'in-moray' });
  await client.put('imgapi_images', stored.uuid, stored.record);
  const tools = join(scratch, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'json'), JSON_TOOL);
  chmodSync(join(tools, 'json'), 0o755);
  const bin = `${tree}/src/cli/bin:${process.env['PATH']}`;
  const morays = `${tools}:${tree}/node_modules/moray/bin:${dirname(process.execPath)}:/usr/bin:/bin`;
  const environment = { IMGAPI_URL: url, IMGAPI_DATA_DIR: today.path };

  const said =
    (pattern: RegExp) =>
    ({ stdout }: { stdout: string }) =>
      void t.match(stdout, pattern);
  const imported = [/: 3 imported/, /: 0 imported, 0 updated, 3 here already/];
  const server = documentServer(t, `node-24 src/main.ts -f ${place.file}`, tree);
  await runDocument(t, {
    file: 'docs/taking-over.md',
    shells: {
      '': new Shell(scratch, join(scratch, 'own'), { PATH: bin, ...environment }),
      moray: new Shell(scratch, join(scratch, 'morays'), { PATH: morays, MORAY_URL: `tcp://127.0.0.1:${moray.port}` }),
    },
    values: {
      CONFIG: place.file,
      '/data/imgapi': today.path,
      '/data/before': join(scratch, 'before'),
      'http://10.99.99.21': other.url,
      KEY: key,
    },
    instead: { 'node-24 src/main.ts -f CONFIG': () => server.start() },
    after: {
      'imgapiadm check-config CONFIG': ({ stderr }) => void t.match(stderr, /3 records in .* are not imported/),
      'imgapiadm import-data /data/imgapi -f CONFIG --dry-run': said(/would be: 3 imported/),
      'imgapiadm import-data /data/imgapi -f CONFIG': ({ stdout }) => void t.match(stdout, imported.shift()),
      'imgapiadm verify': said(/3 files/),
      'imgapiadm import-data http://10.99.99.21 -f CONFIG': said(/: 1 imported/),
      'imgapiadm import-data http://10.99.99.21 -f CONFIG --sign-as sue --key KEY': said(
        /: 1 imported, 0 updated, 1 here/,
      ),
      'imgapiadm import-data images.dump --files /data/imgapi -f CONFIG': said(/0 imported, 0 updated, 1 here already/),
      'imgapiadm export-data images.dump -f CONFIG': said(/^5 images in /),
      'imgapiadm export-data /data/before --folder -f CONFIG': said(/^5 images in /),
    },
  });
  t.match(JSON.parse(readFileSync(join(scratch, 'before/manifests', `${one.uuid}.raw`), 'utf8')), { uuid: one.uuid });
  const back = await client.find('imgapi_images', '(uuid=*)');
  t.ok(
    back.some(({ key: uuid }) => uuid === one.uuid),
    'what was exported is in Moray',
  );
  t.equal(back.length, 5);
  t.strictSame(imported, [], 'the folder was imported twice');
});
