/** What a server does that starts while the disk of its image files, and only that one, takes no writes. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { newProcessName } from '#lib/runtime/process-name.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type BreakableDisk, breakableDisk } from '../../helpers/broken-disk.ts';
import { bytesOf } from '../../helpers/datacenter.ts';
import { freePort } from '../../helpers/free-port.ts';
import { askHealth } from '../../helpers/health.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { runImgapiadm } from '../cli/capture.ts';

const KEYS = { storage: { headroomBytes: 0 } };
const REFUSED = { code: 'StorageIsDown', statusCode: 503 };

/** A data folder whose `storage` is a disk of its own. */
async function withDisk(t: Test): Promise<{ dataDir: string; disk: BreakableDisk } | undefined> {
  const disk = breakableDisk(t);
  if (!disk) return undefined;
  const dataDir = await temporaryFolder(t);
  const storage = join(dataDir, 'storage');
  await mkdir(storage);
  execFileSync('mount', ['--bind', disk.folder, storage]);
  t.teardown(() => execFileSync('umount', ['-l', storage]));
  return { dataDir, disk };
}

test('a server starts although the disk of image files is read-only: it reads them, and writes documents', async (t) => {
  const found = await withDisk(t);
  if (!found) return;
  const { dataDir, disk } = found;
  const keys = { ...KEYS, port: await freePort() };
  const before = await spawnImgapi(t, keys, { dataDir });
  const { image, bytes } = await makeImage(before.client({ account: ALICE }));
  // Of a process that has died.
  const pid = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
  const left = newProcessName().replace(/^\d+/, pid);
  await before.stop();
  await writeFile(join(dataDir, 'storage', 'staging', `~${left}.${newUuid()}`), 'left');
  disk.break();
  const server = await spawnImgapi(t, keys, { dataDir });
  const client = server.client({ account: ALICE });
  t.ok((await bytesOf((await client.getImageFile(image.uuid)).stream)).equals(bytes));
  t.equal((await client.updateImage(image.uuid, { description: 'changed' })).description, 'changed');
  await t.rejects(makeImage(client), REFUSED);
  const { status, json } = await askHealth(`${server.url}/healthz`);
  t.equal(status, 503);
  t.match(json, { checks: { store: { ok: true }, objects: { ok: false, error: /takes files: .*EROFS/ } } });
  const { code, stdout } = await runImgapiadm(['-f', server.configFile, 'doctor', '--json']);
  t.equal(code, 1);
  const problem = new RegExp(`the disk of ${join(dataDir, 'storage')} takes no writes \\(EROFS\\)`);
  const { findings } = JSON.parse(stdout);
  t.match(findings, [
    { part: 'files', problem },
    { part: 'stores', problem: /^objects: no store takes files/ },
  ]);
});

test('a server starts although its disk of image files cannot be used yet, and takes it in when it can', async (t) => {
  const found = await withDisk(t);
  if (!found) return;
  const { dataDir, disk } = found;
  disk.remount('ro');
  const server = await spawnImgapi(t, KEYS, { dataDir });
  const client = server.client({ account: ALICE });
  t.strictSame(await client.listImages(), []);
  await t.rejects(makeImage(client), REFUSED);
  t.match((await askHealth(`${server.url}/healthz`)).json, {
    checks: { objects: { ok: false, error: /"local" cannot be reached yet: utime: EROFS/ } },
  });
  disk.remount('rw');
  const { image } = await waitFor('the store to be taken in', () => makeImage(client).catch(() => undefined));
  t.ok((await client.getImageFile(image.uuid)).stream);
});
