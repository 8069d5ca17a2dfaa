/** A server is killed beside what happens to an image: what happened is told exactly once, and nothing else is. */
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import type { ImageEvent } from '#lib/api/schemas/event.ts';
import { ALICE } from '../helpers/accounts.ts';
import { type Site, startCloud, startSite } from '../helpers/cloud.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { waitFor } from '../helpers/wait.ts';

const BY_ALICE = { kind: 'account', account: ALICE, login: 'alice' };

/** Oldest first. */
async function toldOf(site: Site, image: string): Promise<ImageEvent[]> {
  return (await site.operator.listImageEvents(image)).toReversed() as ImageEvent[];
}

async function kindsOf(site: Site, image: string): Promise<string[]> {
  return (await toldOf(site, image)).map(({ kind }) => kind);
}

test('An upload whose process died is told of once it is finished, as that of who sent it', async (t) => {
  const site = await startSite(t, 'us-east');
  for (const { point, isKept } of [
    { point: 'upload:intent-recorded', isKept: false },
    { point: 'upload:placed', isKept: true },
    { point: 'upload:recorded', isKept: true },
  ]) {
    await t.test(point, async (t) => {
      const { uuid } = await site.alice.createImage(MANIFEST);
      await site.restart({ fault: `${point}=kill` });
      const upload = site.alice.addImageFile(uuid, Readable.from([Buffer.alloc(1000)]), { compression: 'none' });
      await t.rejects(upload);
      await site.diesByItself();
      await site.start();
      await waitFor('the placement to be settled', async () => {
        const { files } = await site.operator.getImage(uuid);
        return isKept ? files?.length === 1 : await isSettled(site, uuid);
      });
      t.strictSame(await kindsOf(site, uuid), isKept ? ['create', 'upload'] : ['create']);
      for (const { actor, request_id: id } of await toldOf(site, uuid)) {
        t.strictSame(actor, BY_ALICE);
        t.match(id, /./);
      }
    });
  }
});

/** An upload is refused while there is another one. */
async function isSettled(site: Site, uuid: string): Promise<boolean> {
  return site.alice.updateImage(uuid, { owner: ALICE }).then(
    () => true,
    () => false,
  );
}

test('A deletion whose process died is told of once', async (t) => {
  const site = await startSite(t, 'us-east');
  const { image } = await makeImage(site.alice);
  await site.restart({ fault: 'delete:tombstone=kill' });
  await t.rejects(site.alice.deleteImage(image.uuid));
  await site.diesByItself();
  await site.start();
  t.strictSame(await kindsOf(site, image.uuid), ['create', 'upload', 'activate', 'delete']);
});

test('The begin and the end of a copy whose process died are told of once', async (t) => {
  const { east, west } = await startCloud(t);
  for (const point of ['copy:order-recorded', 'copy:before-commit', 'copy:committed']) {
    await t.test(point, (t) => diesAt(t, east, west, point));
  }
});

async function diesAt(t: Test, east: Site, west: Site, point: string): Promise<void> {
  const { image } = await makeImage(east.alice);
  await west.restart({ fault: `${point}=kill` });
  await west.order(image.uuid, east.name).catch((error: unknown) => error);
  await west.diesByItself();
  await west.start();
  const { order } = await west.ended(image.uuid);
  const events = await toldOf(west, image.uuid);
  t.strictSame(
    events.map(({ kind, details, actor }) => [kind, details, actor]),
    ['copy-begun', 'copy-done'].map((kind) => [kind, { order, source: east.name }, BY_ALICE]),
  );
  const pulls = (await toldOf(east, image.uuid)).filter(({ kind }) => kind === 'pull');
  t.ok(pulls.length > 0, 'the source tells who reads its image');
  t.strictSame(pulls[0]?.actor, { kind: 'datacenter', datacenter: west.name });
  t.notMatch(JSON.stringify(pulls), ALICE);
}
