/** A process is killed while it quarantines or repairs a file, and two processes do it at once. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import type { FileFinding } from '#lib/api/schemas/maintenance.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { type Cloud, secondProcess, startCloud } from '../helpers/cloud.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

/** An image that both datacenters have, whose file in the west is damaged. */
async function damaged(t: Parameters<typeof startCloud>[0]): Promise<Cloud & { uuid: string; bytes: Buffer }> {
  const { east, west } = await startCloud(t);
  const { image, bytes } = await makeImage(east.alice);
  await west.copy(image.uuid, east.name);
  const rotten = Buffer.from(bytes);
  rotten[5] = (rotten[5] ?? 0) ^ 0xff;
  await writeFile(join(west.dataDir, 'storage', imageObjectPath(image.uuid, 'file0')), rotten);
  return { east, west, uuid: image.uuid, bytes };
}

for (const point of [
  'scrub:marked',
  'scrub:kept',
  'repair:fetched',
  'upload:intent-recorded',
  'upload:placed',
  'upload:recorded',
]) {
  test(`A damaged file is mended when the process is killed at ${point}, and nobody is given its bytes`, async (t) => {
    const { west, uuid, bytes } = await damaged(t);
    await west.restart({ fault: `${point}=kill` });
    await west.administer('POST', '/admin/scrub');
    await west.diesByItself();
    await west.start();
    const answers = new Set<string>();
    await waitFor('the right bytes', async () => {
      const sha1 = await sha1Served(west.alice, uuid).catch((error: { code?: string }) => String(error.code));
      answers.add(sha1);
      return sha1 === sha1Of(bytes);
    });
    t.strictSame(
      [...answers].filter((answer) => !['FileDamaged', 'ImageFileBusy', sha1Of(bytes)].includes(answer)),
      [],
    );
    t.strictSame(await west.administer<FileFinding[]>('GET', '/admin/findings'), []);
  });
}

test('A file that two processes find damaged and mend at once is mended once', async (t) => {
  const { west, uuid, bytes } = await damaged(t);
  const other = await secondProcess(t, west);
  await other.start();
  await Promise.all([
    west.administer('POST', '/admin/scrub'),
    other.administer('POST', `/admin/verify?repair=true&uuid=${uuid}`).catch(() => undefined),
    west.administer('POST', `/admin/verify?repair=true&uuid=${uuid}`).catch(() => undefined),
  ]);
  await waitFor('no findings', async () => {
    const isPassed = (await west.operator.adminGetState()).scrub?.last;
    return isPassed && (await other.administer<FileFinding[]>('GET', '/admin/findings')).length === 0;
  });
  t.equal(await sha1Served(other.alice, uuid), sha1Of(bytes));
  await assertSound(t, west);
});
