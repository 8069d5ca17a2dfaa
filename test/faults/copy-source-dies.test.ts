/** The source of a copy is killed, alone or together with the destination. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { MiB, type Site, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 24 * MiB;

/** Files in the pulls area. */
async function pullsOf({ dataDir }: Site): Promise<string[]> {
  const storage = join(dataDir, 'storage');
  const entries = await readdir(storage, { recursive: true, withFileTypes: true });
  const below = join(storage, 'pulls');
  return entries.filter((entry) => entry.isFile() && entry.parentPath.startsWith(below)).map(({ name }) => name);
}

const SLOW = { kind: 'slow', bytesPerSecond: 16 * MiB } as const;

test('A copy goes on when its source dies and comes back', async (t) => {
  const { east, west } = await startCloud(t);

  await t.test('killed when it made a pull link and did not say so yet', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: SIZE });
    await east.restart({ fault: 'pull:linked=kill' });
    const before = east.network.received;
    await west.order(image.uuid, east.name);
    await east.diesByItself();
    await east.start();
    t.equal((await west.ended(image.uuid)).state, 'succeeded');
    assertMoved(t, east.network.received - before, SIZE);
    await assertSound(t, west);
    await assertSound(t, east);
  });

  await t.test('killed again and again while the bytes flow', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: SIZE });
    east.network.trouble = SLOW;
    const watch = watchImages(t, west, [image.uuid]);
    const before = east.network.received;
    await west.order(image.uuid, east.name);
    for (const part of [0.2, 0.5, 0.8]) {
      await flowed(east, before + part * SIZE);
      await east.restart();
    }
    t.equal((await west.ended(image.uuid)).state, 'succeeded');
    assertMoved(t, east.network.received - before, SIZE);
    await watch.end();
    await assertSound(t, west);
  });

  await t.test('both sides killed in the middle of a chain of three', async (t) => {
    const uuids = await makeChain(east, 3, 8 * MiB);
    east.network.trouble = SLOW;
    const watch = watchImages(t, west, uuids);
    const before = east.network.received;
    const ordered = await west.order(uuids.at(-1) ?? '', east.name);
    t.same(
      ordered.images.map(({ uuid }) => uuid),
      uuids,
      'base first',
    );
    await flowed(east, before + 12 * MiB);
    await Promise.all([east.kill(), west.kill()]);
    await Promise.all([east.start(), west.start()]);
    t.equal((await west.ended(uuids.at(-1) ?? '')).state, 'succeeded');
    assertMoved(t, east.network.received - before, SIZE);
    await watch.end();
    await assertSound(t, west);
  });

  await t.test('what it kept for the transfers is reaped when it is due', async (t) => {
    const { pulls: kept } = await reap(east);
    t.same(kept.objects, [], 'not before');
    t.ok((await pullsOf(east)).length > 0, 'the link that the destination never heard of is there');
    await east.restart({ later: 4 * 24 * 60 * 60 * 1000 });
    await reap(east);
    t.same(await pullsOf(east), [], 'then all of it');
    await assertSound(t, east, { keepsPulls: false });
  });
});

function flowed({ network }: Site, bytes: number): Promise<boolean> {
  return waitFor('bytes to flow', () => network.received >= bytes);
}

/** Makes a chain of images; returned base first. */
async function makeChain(site: Site, length: number, size: number): Promise<string[]> {
  const uuids: string[] = [];
  for (let link = 0; link < length; link++) {
    const origin = uuids.at(-1);
    const { image } = await makeImage(site.alice, origin === undefined ? {} : { origin }, { size });
    uuids.push(image.uuid);
  }
  return uuids;
}

function reap(site: Site): Promise<{ readonly pulls: { readonly objects: readonly object[] } }> {
  return site.administer('POST', '/admin/reap');
}
