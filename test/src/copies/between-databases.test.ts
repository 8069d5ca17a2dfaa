/** Datacenters whose documents are in different databases; one of them is served by two processes. */
import { test } from 'tap';
import { postgresFor } from '../../engines/postgres/postgres-for.ts';
import { MiB, secondProcess, startCloud } from '../../helpers/cloud.ts';
import { makeImage } from '../../helpers/images.ts';

test('copies go from SQLite to PostgreSQL and back, through either process', async (t) => {
  const { keys } = await postgresFor(t);
  const { east, west } = await startCloud(t, { west: keys });
  const other = await secondProcess(t, west, keys);
  await other.start();

  const { image: base } = await makeImage(east.alice, { name: 'base' }, { size: MiB });
  const { image } = await makeImage(east.alice, { origin: base.uuid }, { size: MiB });
  await east.alice.addImageAcl(image.uuid, ['bob']);
  await west.order(image.uuid, east.name);
  t.equal((await other.ended(image.uuid)).state, 'succeeded');
  for (const { uuid, files } of [base, image]) {
    t.match(await other.alice.getImage(uuid), { state: 'active', files: [{ sha1: files?.[0]?.sha1 }] });
  }
  t.match(await west.alice.getImage(image.uuid), { origin: base.uuid, acl: ['bob'] });

  const { image: back } = await makeImage(other.alice, {}, { size: MiB });
  await east.order(back.uuid, west.name);
  t.equal((await east.ended(back.uuid)).state, 'succeeded');
  t.match(await east.alice.getImage(back.uuid), { state: 'active', files: [{ sha1: back.files?.[0]?.sha1 }] });
});
