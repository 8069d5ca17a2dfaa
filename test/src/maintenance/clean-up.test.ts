/** What is left in staging, and who removes it: the one who left it, the sweeper, or an operator. */
import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import { UPLOADS } from '#src/images/files/upload-register.ts';
import { cleanUp } from '#src/maintenance/clean-up.ts';
import { serviceTasks } from '#src/maintenance/tasks/table.ts';
import { Storages } from '#src/service/storages.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { type InProcess, spawnImgapi, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { slowUpload } from '../images/files/slow-upload.ts';

const { signal } = new AbortController();
const PIECE = Buffer.alloc(3 * 2 ** 20, 'x');

/** Without what the task that archives manifests is just writing. */
function staged({ dataDir }: InProcess): string[] {
  return readdirSync(join(dataDir, 'storage', 'staging')).filter((name) => !/^archive\.[0-9a-f]{8}-/.test(name));
}

/** An upload of which something is on the disk, and more to come. */
async function halfUpload(server: InProcess) {
  const { uuid } = await server.client({ account: ALICE }).createImage(MANIFEST);
  const length = { 'content-length': String(2 * PIECE.length) };
  const upload = slowUpload(`${server.url}/images/${uuid}/file?account=${ALICE}&compression=none`, length);
  await upload.write(PIECE);
  await waitFor('bytes to be staged', async () => {
    const sessions = await server.imgapi.service.storages.named('local').sessions();
    return sessions.some(({ session, size }) => session.includes(uuid) && size > 0);
  });
  return { uuid, upload };
}

test('a server whose clock is wrong leaves alone what another process is just doing in staging', async (t) => {
  const dataDir = await temporaryFolder(t);
  const first = await spawnImgapi(t, {}, { dataDir });
  const name = '~6e2a1a5c-0000-4000-8000-000000000000';
  writeFileSync(join(dataDir, 'storage', 'staging', name), 'bytes');
  const tenDays = 864_000_000;
  await spawnImgapi(t, {}, { dataDir, ahead: tenDays });
  t.ok(readdirSync(join(dataDir, 'storage', 'staging')).includes(name));
  await first.stop();
});

test('a server that stops in the middle of an upload removes what it staged', async (t) => {
  const server = await startInProcess(t);
  await halfUpload(server);
  await server.imgapi.close({ patience: 0 });
  t.same(staged(server), []);
  const store = await openSqliteStore({ path: join(server.dataDir, 'imgapi.db') });
  t.teardown(() => store.close());
  await store.open([UPLOADS]);
  t.equal(await store.count(UPLOADS), 0, 'nor is it taken for one that is under way');
});

async function unreferenced({ imgapi }: InProcess, session: string): Promise<void> {
  const path = imageObjectPath('00000000-0000-4000-8000-000000000000', 'file0');
  const writer = await imgapi.service.storages.named('local').open({ path, session });
  await writer.append(Readable.from([PIECE]));
  await writer.close();
}

test('an operator removes young staging that nothing refers to, and no more than that', async (t) => {
  const server = await startInProcess(t);
  const { service } = server.imgapi;
  const { upload } = await halfUpload(server);
  await unreferenced(server, 'upload.of-a-dead-process');
  await unreferenced(server, 'archive.of-this-moment');
  const before = staged(server);
  t.equal(before.length, 3);
  t.match(await cleanUp(service, { dryRun: false, eager: false, signal }), { staging: { sessions: [], bytes: 0 } });
  const plan = await cleanUp(service, { dryRun: true, eager: true, signal });
  t.match(plan.staging, { sessions: [{ session: 'upload.of-a-dead-process' }], bytes: PIECE.length });
  t.same(staged(server), before, 'a dry run removes nothing');
  t.same((await cleanUp(service, { dryRun: false, eager: true, signal })).staging, plan.staging);
  t.same(
    staged(server),
    before.filter((name) => name !== 'upload.of-a-dead-process'),
  );
  await upload.write(PIECE);
  t.equal((await upload.end()).status, 200);
});

/** The service as it is some time later, for the temporary names of its store. */
async function later(t: Test, { imgapi, dataDir }: InProcess, seconds: number) {
  const clock = { now: () => Date.now() + seconds * 1000 };
  // Opening would remove them too: it opens beside the time that they are looked at.
  let isOpening = true;
  const root = join(dataDir, 'storage');
  const local = await openLocalStore({ root, clock: { now: () => (isOpening ? Date.now() : clock.now()) } });
  isOpening = false;
  t.teardown(() => local.close());
  return { ...imgapi.service, storages: new Storages(imgapi.service.config, local) };
}

test('temporary names that a killed process left go while the service runs', async (t) => {
  const server = await startInProcess(t);
  const staging = join(server.dataDir, 'storage', 'staging');
  const leave = () => {
    writeFileSync(join(staging, '~file'), PIECE);
    linkSync(join(staging, '~file'), join(staging, '~name'));
    mkdirSync(join(staging, '~tree', 'below'), { recursive: true });
    writeFileSync(join(staging, '~tree', 'below', 'file'), PIECE);
  };
  leave();
  const soon = await later(t, server, 3500);
  t.match(await cleanUp(soon, { dryRun: false, eager: false, signal }), { staging: { leftovers: [] } });
  const late = await later(t, server, 3700);
  const sweep = serviceTasks(late).find(({ name }) => name === 'sweep-staging');
  t.match(await sweep?.run(signal), { sessions: ['~file', '~name', '~tree'], bytes: PIECE.length });
  t.same(staged(server), []);
  leave();
  const minute = await later(t, server, 70);
  const plan = await cleanUp(minute, { dryRun: true, eager: true, signal });
  t.match(plan.staging, { leftovers: [{ session: '~file', stor: 'local' }, {}, { size: PIECE.length }] });
  t.equal(staged(server).length, 3);
  t.same((await cleanUp(minute, { dryRun: false, eager: true, signal })).staging, plan.staging);
  t.same(staged(server), []);
});
