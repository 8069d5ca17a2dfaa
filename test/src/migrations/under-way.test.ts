/** What is under way while documents move goes on, and who orders moves at once is told which one won. */
import { test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import { postgresFor } from '../../engines/postgres/postgres-for.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MiB, startCloud } from '../../helpers/cloud.ts';
import { freePort } from '../../helpers/free-port.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { sha1Served } from '../../helpers/invariants.ts';
import { slowUpload } from '../images/files/slow-upload.ts';
import { hasEnded, operatorOf, startMoray } from './fixture.ts';

test('a copy and an upload that are under way go on and end well', async (t) => {
  const { postgres } = (await postgresFor(t)).keys;
  const { east, west } = await startCloud(t, { west: { postgres } });
  const { image: coming, bytes: theirs } = await makeImage(east.alice, {}, { size: 16 * MiB });
  const { uuid } = await west.alice.createImage(MANIFEST);
  const bytes = Buffer.alloc(MiB, 5);
  const upload = slowUpload(`${west.front.url}/images/${uuid}/file?account=${ALICE}&compression=none`, {
    'content-length': String(bytes.length),
  });
  await upload.write(bytes.subarray(0, 1000));
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB / 8 };
  await west.order(coming.uuid, east.name);
  await west.reaches(coming.uuid, ({ bytes_done: done }) => done > 0);

  const operator = await operatorOf(west.server);
  await operator.adminMigrate({ kind: 'documents', to: 'postgres' });
  const ended = await hasEnded(operator);
  t.match(ended, { state: 'succeeded', to: 'postgres' }, ended.error ?? 'done');
  t.match(await west.operator.getImageCopy(coming.uuid), { state: 'running' });
  await upload.write(bytes.subarray(1000));
  t.equal((await upload.end()).status, 200);
  await west.alice.activateImage(uuid);
  east.network.trouble = { kind: 'none' };
  const copied = await west.ended(coming.uuid);
  t.match(copied, { state: 'succeeded', images: [{ attempt: 1 }] });
  t.equal(await sha1Served(west.alice, coming.uuid), sha1Of(theirs));
  t.equal(await sha1Served(west.alice, uuid), sha1Of(bytes));
  await west.server.stop();
});

test('of moves to several engines that are ordered at once by five processes one wins, and all are told', async (t) => {
  const { postgres } = (await postgresFor(t)).keys;
  const { keys: moray } = await startMoray(t);
  const keys = { ...moray, postgres };
  const first = await spawnImgapi(t, keys);
  const others = await Promise.all([1, 2, 3, 4].map(() => spawnImgapi(t, keys, { dataDir: first.dataDir })));
  const servers = [first, ...others];
  const { uuid } = await first.client({ account: ALICE }).createImage(MANIFEST);
  const answers = await Promise.all(
    servers.map(async (server, n) => {
      const operator = await operatorOf(server);
      const wish = { kind: 'documents', to: n % 2 === 0 ? 'postgres' : 'moray' } as const;
      return operator.adminMigrate(wish).catch((error: unknown) => error);
    }),
  );
  const won = answers.filter((answer) => !(answer instanceof Error));
  t.equal(new Set(won.map((answer) => JSON.stringify(answer))).size, 1);
  for (const lost of answers.filter((answer) => answer instanceof Error)) {
    t.ok(lost instanceof ImgapiError && lost.statusCode === 422, String(lost));
    t.match(lost, { message: /are being moved from "local"/ });
  }
  const ended = await hasEnded(await operatorOf(first));
  t.match(ended, { state: 'succeeded' }, ended.error ?? 'done');
  t.match(won[0], { to: ended.to });
  for (const server of servers) t.equal((await server.client({ account: ALICE }).getImage(uuid)).uuid, uuid);
  await Promise.all(servers.map((server) => server.stop()));
});

test('a dry run says whether the new store can be used, and leaves nothing there', async (t) => {
  const { keys, server: database, options } = await postgresFor(t);
  const { postgres } = keys;
  const moray = { host: '127.0.0.1', port: await freePort(), startSeconds: 1, timeoutSeconds: 1 };
  const server = await spawnImgapi(t, { postgres, moray });
  const operator = await operatorOf(server);
  const wish = { kind: 'documents', dry_run: true } as const;
  t.match(await operator.adminMigrate({ ...wish, to: 'postgres' }), { state: 'planned', to: 'postgres' });
  const tables = await database.query('select tablename from pg_tables where schemaname = $1', [options.schema]);
  t.same(tables, []);
  await t.rejects(operator.adminMigrate({ ...wish, to: 'moray' }), {
    message: /the new store cannot be used: moray: 127\.0\.0\.1:\d+ cannot be used/,
  });
  t.same(await operator.adminListMigrations(), []);
  await server.stop();
});
