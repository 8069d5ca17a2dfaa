/** Imports into stores behind a network: PostgreSQL for records, S3 and Manta for bytes. */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { mantaFor } from '../../engines/manta.ts';
import { postgresFor } from '../../engines/postgres/postgres-for.ts';
import { s3For } from '../../engines/s3.ts';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { bytesServed, importInto, newPlace } from './fixtures/import.ts';
import { todaysFolder } from './fixtures/todays-folder.ts';

test('a data folder comes into PostgreSQL and S3, beside the server that uses them', async (t) => {
  const today = await todaysFolder(t);
  const base = today.add({ owner: ALICE }, { icon: randomBytes(200), size: 300_000 });
  const child = today.add({ owner: ALICE, origin: base.uuid });
  today.add({ os: 'beos' });
  const { keys: documents } = await postgresFor(t);
  const { keys: objects } = await s3For(t);
  const keys = { ...documents, ...objects, storageTypes: ['s3'] };
  const place = await newPlace(t, keys);
  const server = await startInProcess(t, keys);
  const { code, report } = await importInto(place, today.path);
  t.match({ code, report }, { code: 1, report: { problems: [{ reasons: [/"os" must be/] }] } });
  t.strictSame(report.images.map(({ linked, copied }) => [linked, copied]).toSorted(), [
    [0, 1],
    [0, 2],
  ]);
  for (const { uuid, bytes } of [base, child]) {
    t.ok((await bytesServed(server, uuid)).bytes.equals(bytes));
    t.match(await server.client().getImage(uuid, { inclAdminFields: true }), { files: [{ stor: 's3' }] });
  }
  t.equal(statSync(today.file(base.uuid)).nlink, 1);
  t.match(await importInto(place, today.path), { report: { same: 2, images: [] } });

  const target = join(await temporaryFolder(t), 'back');
  t.match(await runImgapiadm(['export-data', `${target}.dump`, '-f', place.file]), {
    code: 1,
    stdout: /its bytes are in "s3", which today's IMGAPI does not have/,
  });
  t.match(await runImgapiadm(['export-data', target, '--folder', '-f', place.file]), { code: 0 });
  t.equal(statSync(join(target, 'images', base.uuid.slice(0, 3), base.uuid, 'file0')).size, 300_000);
});

test('what lies in the same Manta stays there, and is not read', async (t) => {
  const manta = await mantaFor(t);
  const first = await startInProcess(t, manta.keys);
  const made = await makeImage(first.client(), { owner: ALICE });
  const admins = await makeImage(first.client(), { owner: ADMIN });
  const dump = join(await temporaryFolder(t), 'dump');
  const from = await newPlace(t, manta.keys, first.dataDir);
  t.match(await runImgapiadm(['export-data', dump, '-f', from.file]), { code: 0 });
  await first.imgapi.close();
  // The mark says to which documents the folder in Manta belongs; these are lost.
  const { tree } = manta.double;
  for (const path of tree.all().filter((one) => one.endsWith('/owner'))) tree.remove(path.slice(1).split('/'));
  const place = await newPlace(t, manta.keys);
  const { code, report } = await importInto(place, dump, '--files', join(first.dataDir, 'storage'));
  t.strictSame({ code, problems: report.problems }, { code: 0, problems: [] });
  const ways = new Map(report.images.map(({ uuid, in_place, linked }) => [uuid, { in_place, linked }]));
  t.strictSame(ways.get(made.image.uuid), { in_place: 1, linked: 0 });
  t.strictSame(ways.get(admins.image.uuid), { in_place: 0, linked: 1 });
  const server = await startInProcess(t, manta.keys, { dataDir: place.dataDir });
  for (const { image, bytes } of [made, admins]) t.ok((await bytesServed(server, image.uuid)).bytes.equals(bytes));
});

test('a store that is down ends the import with what it says', async (t) => {
  const today = await todaysFolder(t);
  today.add({ owner: ALICE });
  const { keys } = await s3For(t);
  const place = await newPlace(t, {
    ...keys,
    storageTypes: ['s3'],
    s3: { ...keys.s3, endpoint: 'http://127.0.0.1:1' },
  });
  const { code, stderr, stdout } = await runImgapiadm(['import-data', today.path, '-f', place.file]);
  t.equal(code, 1);
  t.match(stderr, /s3/);
  t.equal(stdout, '');
});
