/** Bad networks between the datacenters. */
import { test } from 'tap';
import { type Cloud, MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 24 * MiB;

test('A copy gets through a bad network, and moves hardly more than its bytes', async (t) => {
  const cloud = await startCloud(t);
  const { east, west } = cloud;
  t.afterEach(() => {
    east.network.trouble = { kind: 'none' };
  });

  await t.test('every connection is cut after a few MiB', async (t) => {
    await copied(cloud, async (uuid, bytes) => {
      east.network.trouble = { kind: 'cut', after: 5 * MiB, bytesPerSecond: 32 * MiB };
      await west.order(uuid, east.name);
      t.equal((await west.ended(uuid)).state, 'succeeded');
      assertMoved(t, bytes(), SIZE);
    })(t);
  });

  await t.test('all connections are cut at odd moments', async (t) => {
    await copied(cloud, async (uuid, bytes) => {
      east.network.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
      await west.order(uuid, east.name);
      for (const part of [0.1, 0.35, 0.36, 0.7, 0.97]) {
        await waitFor('bytes to flow', () => bytes() > part * SIZE);
        east.network.cutAll();
      }
      t.equal((await west.ended(uuid)).state, 'succeeded');
      assertMoved(t, bytes(), SIZE);
    })(t);
  });

  await t.test('connections fall silent, and nobody is told', async (t) => {
    await copied(cloud, async (uuid, bytes) => {
      east.network.trouble = { kind: 'stall', after: 8 * MiB };
      await west.order(uuid, east.name);
      const { images } = await west.reaches(uuid, (status) => status.images[0]?.error !== undefined);
      t.match(images[0]?.error, { code: /^(Stalled|SourceUnreachable)$/ });
      east.network.trouble = { kind: 'none' };
      t.equal((await west.ended(uuid)).state, 'succeeded');
      assertMoved(t, bytes(), SIZE);
    })(t);
  });

  await t.test('it is slow: progress only ever grows, and is complete when the image is usable', async (t) => {
    await copied(cloud, async (uuid) => {
      east.network.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
      await west.order(uuid, east.name);
      const seen: number[] = [];
      for await (const { state, bytes_done, bytes_total, images } of west.alice.watchImageCopy(uuid)) {
        seen.push(bytes_done);
        t.equal(bytes_done === bytes_total, state === 'succeeded', `${bytes_done} bytes, ${state}`);
        t.ok((images[0]?.attempt ?? 0) <= 1, 'in one attempt');
      }
      t.ok(seen.length > 2);
      t.same(
        seen,
        seen.toSorted((a, b) => a - b),
      );
      t.equal(seen.at(-1), SIZE);
    })(t);
  });

  await t.test('one bit is turned on the way: the file is fetched anew, and says so', async (t) => {
    await copied(cloud, async (uuid, bytes) => {
      east.network.trouble = { kind: 'flip', at: 10 * MiB };
      const status = await west.copy(uuid, east.name);
      t.ok(east.network.flipped);
      t.match(status, { state: 'succeeded', images: [{ attempt: 2, note: /fetched again: .*sha1/ }] });
      assertMoved(t, bytes(), SIZE, 2);
    })(t);
  });

  await t.test('the source is out of reach for a while', async (t) => {
    await copied(cloud, async (uuid, bytes) => {
      east.network.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
      await west.order(uuid, east.name);
      await waitFor('bytes to flow', () => bytes() > SIZE / 2);
      east.network.trouble = { kind: 'refuse' };
      east.network.cutAll();
      await west.reaches(uuid, ({ images }) => images[0]?.error?.code === 'SourceUnreachable');
      east.network.trouble = { kind: 'none' };
      t.equal((await west.ended(uuid)).state, 'succeeded');
      assertMoved(t, bytes(), SIZE);
    })(t);
  });

  await t.test('bits turn every time: it fails for good, and can be ordered again', async (t) => {
    await copied(cloud, async (uuid) => {
      const flip = { kind: 'flip', at: 3 * MiB } as const;
      east.network.trouble = flip;
      await west.order(uuid, east.name);
      const failed = await west.reaches(uuid, ({ finished_at }) => {
        if (east.network.flipped) east.network.trouble = flip;
        return finished_at !== undefined;
      });
      t.match(failed, { state: 'failed', error: { code: 'HashMismatch', message: /3 times/ } });
      t.equal((await west.alice.getImage(uuid)).state, 'failed');
      east.network.trouble = { kind: 'none' };
      t.equal((await west.copy(uuid, east.name)).state, 'succeeded');
    })(t);
  });
  await assertSound(t, east);
});

/** Makes an image in the east and watches the west while it is copied. `bytes`: how many have arrived so far. */
function copied(
  { east, west }: Cloud,
  scenario: (uuid: string, bytes: () => number) => Promise<void>,
): (t: Parameters<typeof assertSound>[0]) => Promise<void> {
  return async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: SIZE });
    const before = east.network.received;
    const watch = watchImages(t, west, [image.uuid]);
    await scenario(image.uuid, () => east.network.received - before);
    await watch.end();
    await assertSound(t, west);
  };
}
