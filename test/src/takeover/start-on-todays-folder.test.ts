/** A server that is started on the data folder of a standalone IMGAPI, before and after the import. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { classicSigner } from '#lib/signing/signers.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { KEYS } from '../imgapi/fixtures/signing.ts';
import { bytesServed, importInto, newPlace, PUBLIC } from './fixtures/import.ts';
import { todaysFolder } from './fixtures/todays-folder.ts';

const NOT_IMPORTED =
  /2 records in \S+\/manifests, of the IMGAPI that was here before, are not imported.*; run imgapiadm import-data (\S+) -f ([^"\s]+)/;

test('the log and check-config name the command until all records were imported', async (t) => {
  const today = await todaysFolder(t);
  const [made] = [today.add(), today.add()] as const;
  // What its operators and their scripts have left there.
  writeFileSync(join(today.path, 'restored-from-backup'), '');
  const place = await newPlace(t, PUBLIC, today.path);
  const checked = await runImgapiadm(['check-config', place.file]);
  t.match(checked, { code: 0, stderr: NOT_IMPORTED });
  let log = '';
  const server = await spawnImgapi(
    t,
    { ...PUBLIC, logLevel: 'info' },
    { dataDir: today.path, onLog: (text) => (log += text) },
  );
  t.match(log, NOT_IMPORTED);
  const warning = log
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .find(({ msg }) => NOT_IMPORTED.test(msg));
  t.equal(warning.level, 40, 'it is a warning');
  t.strictSame(await server.client({ version: '*' }).listImages(), []);

  // The command that was named is run, while the server runs.
  const [, folder = '', config = ''] = NOT_IMPORTED.exec(log) ?? [];
  const named = await runImgapiadm(['import-data', folder, '-f', config]);
  t.match(named, { code: 0, stdout: /2 imported/ });
  t.ok((await bytesServed(server, made.uuid)).bytes.equals(made.bytes));
  t.notMatch((await runImgapiadm(['check-config', place.file])).stderr, /import-data/);

  // What the other one adds after that, when somebody went back to it, is not forgotten.
  await server.stop();
  const later = today.add();
  t.match(
    (await runImgapiadm(['check-config', place.file])).stderr,
    /3 records in \S+ .*are not imported, or have changed since/,
  );
  t.match(await importInto(place, today.path), { code: 0, report: { same: 2, images: [{ uuid: later.uuid }] } });
  t.notMatch((await runImgapiadm(['check-config', place.file])).stderr, /import-data/);
});

test('records that could not be imported are not forgotten', async (t) => {
  const today = await todaysFolder(t);
  today.add();
  today.add({ os: 'beos' });
  const place = await newPlace(t, PUBLIC, today.path);
  t.match(await importInto(place, today.path), { code: 1 });
  t.match(
    (await runImgapiadm(['check-config', place.file])).stderr,
    /1 of the records in .* could not be imported; they are listed by imgapiadm import-data/,
  );
});

test('the image files of before are in no backup twice', async (t) => {
  const today = await todaysFolder(t);
  const made = today.add();
  const place = await newPlace(t, PUBLIC, today.path);
  await importInto(place, today.path);
  const backup = join(today.path, '..', `${today.path.split('/').at(-1)}.backup`);
  t.teardown(() => rmSync(backup, { recursive: true, force: true }));
  const { code, stdout } = await runImgapiadm(['backup', backup, '--data-dir', today.path, '--json']);
  t.equal(code, 0);
  t.equal(JSON.parse(stdout).images, 1);
  const manifest = readFileSync(join(backup, 'manifest.jsonl'), 'utf8');
  t.equal(manifest.split(`${made.uuid}/file0`).length, 2);
});

test('the keys of before count where they are', async (t) => {
  const today = await todaysFolder(t);
  today.add();
  const { ed25519: key } = KEYS;
  const publicKey = key.publicKey.openssh;
  today.key('mary', `# Mary's\n${publicKey}\n`);
  const place = await newPlace(t, { mode: 'public', authType: 'signature' }, today.path);
  t.match(await importInto(place, today.path), { report: { keys: [] } });
  const server = await spawnImgapi(t, { mode: 'public', authType: 'signature' }, { dataDir: today.path });
  const mary = server.client({ version: '*', signer: classicSigner({ key, keyId: 'mary' }) });
  t.match(await mary.ping(), { user: 'mary' });
  const john = server.client({ version: '*', signer: classicSigner({ key, keyId: 'john' }) });
  await t.rejects(john.ping(), { code: 'UnauthorizedError' });
  appendFileSync(join(today.path, 'etc/authkeys/local/john.keys'), `${publicKey}\n`);
  await mary.adminReloadAuthKeys();
  t.match(await john.ping(), { user: 'john' });
});
