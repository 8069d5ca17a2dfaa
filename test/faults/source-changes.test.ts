/** The image changes at the source while it is being copied. */
import { type Test, test } from 'tap';
import { BOB, CAROL } from '../helpers/accounts.ts';
import { type Cloud, link, MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';

const SIZE = 12 * MiB;

test('A copy takes notice of what happens to the image at the source meanwhile', async (t) => {
  const cloud = await startCloud(t);
  const { east, west } = cloud;

  await t.test('it is deleted: the copy goes on from its pull link', async (t) => {
    await midway(t, cloud, async (uuid) => {
      await east.alice.deleteImage(uuid);
      east.network.cutAll();
    });
  });

  await t.test('it is disabled: it comes all the same, and usable, as it was ordered', async (t) => {
    await midway(t, cloud, async (uuid) => {
      await east.alice.disableImage(uuid);
      east.network.cutAll();
    });
  });

  await t.test('its fields change: it comes with the new ones', async (t) => {
    const uuid = await midway(t, cloud, async (image) => {
      await east.alice.updateImage(image, { description: 'as it is now', tags: { fresh: true } });
    });
    t.match(await west.alice.getImage(uuid), { description: 'as it is now', tags: { fresh: true } });
  });

  await t.test('it is unshared: the copy does not undo that', async (t) => {
    const shared = { acl: ['bob', CAROL] };
    const uuid = await midway(
      t,
      cloud,
      async (image) => {
        await east.alice.removeImageAcl(image, ['bob', CAROL]);
      },
      shared,
    );
    for (const account of [BOB, CAROL]) {
      await t.rejects(west.client(account).getImage(uuid), { code: 'ResourceNotFound' });
    }
    t.notOk((await west.alice.getImage(uuid)).acl?.length);
  });

  await t.test('it is shared: the copy brings that', async (t) => {
    const uuid = await midway(t, cloud, async (image) => {
      await east.alice.addImageAcl(image, ['bob']);
    });
    t.equal((await west.client(BOB).getImage(uuid)).uuid, uuid);
    t.same((await west.alice.getImage(uuid)).acl, ['bob']);
  });

  await t.test('it is given away: the copy fails, and nobody gets it', async (t) => {
    const uuid = await started(t, cloud);
    await east.operator.updateImage(uuid, { owner: BOB });
    const status = await west.ended(uuid);
    t.match(status, { state: 'failed', error: { code: 'NotOwner' } });
    t.match(await west.alice.getImage(uuid), { state: 'failed', error: { code: 'NotOwner' } });
    await west.alice.deleteImage(uuid);
    await assertSound(t, west);
  });

  await t.test('the datacenters are unlinked: the copy fails, and goes on once they are linked again', async (t) => {
    const before = east.network.received;
    const uuid = await started(t, cloud);
    await west.administer('DELETE', `/datacenters/${east.name}`);
    east.network.cutAll();
    t.match(await west.ended(uuid), { state: 'failed', error: { code: /^(NotLinked|SourceInvalid)$/ } });
    await assertSound(t, west);
    await link(east, west);
    t.equal((await west.copy(uuid, east.name)).state, 'succeeded');
    assertMoved(t, east.network.received - before, SIZE);
    await assertSound(t, west);
  });

  await t.test('the source alone unlinks: the copy ends, and its placeholder can be deleted', async (t) => {
    const uuid = await started(t, cloud);
    west.network.trouble = { kind: 'refuse' };
    west.network.cutAll();
    await east.administer('DELETE', `/datacenters/${west.name}`);
    east.network.cutAll();
    await west.reaches(uuid, ({ images }) => images[0]?.error?.code === 'SourceUnauthorized');
    await west.alice.deleteImage(uuid);
    t.equal((await west.ended(uuid)).state, 'canceled');
    await assertSound(t, west);
    await t.rejects(west.order(uuid, east.name), {
      statusCode: 503,
      code: 'RemoteSourceError',
      message: /link with: imgapiadm link-dc /,
    });
  });
  await assertSound(t, east);
});

/** Orders a copy over a slow network; resolves when part of it has arrived. */
async function started(t: Test, { east, west }: Cloud, fields: object = {}): Promise<string> {
  const { image } = await makeImage(east.alice, fields, { size: SIZE });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 8 * MiB };
  t.teardown(() => {
    east.network.trouble = { kind: 'none' };
  });
  await west.order(image.uuid, east.name);
  await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > 2 * MiB);
  return image.uuid;
}

/** A copy that succeeds although something happens during it. */
async function midway(
  t: Test,
  cloud: Cloud,
  happens: (uuid: string) => Promise<void>,
  fields: object = {},
): Promise<string> {
  const { east, west } = cloud;
  const before = east.network.received;
  const uuid = await started(t, cloud, fields);
  const watch = watchImages(t, west, [uuid]);
  await happens(uuid);
  t.equal((await west.ended(uuid)).state, 'succeeded');
  t.equal((await west.alice.getImage(uuid)).state, 'active');
  assertMoved(t, east.network.received - before, SIZE);
  await watch.end();
  await assertSound(t, west);
  return uuid;
}
