/** Many requests at once, through two processes that share the stores of one datacenter. */
import { type Test, test } from 'tap';
import type { Terrain } from '../engines/grounds.ts';
import { type Cloud, MiB, type Site, secondProcess, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, readDocuments, watchImages } from '../helpers/invariants.ts';

interface Shared extends Cloud {
  readonly other: Site;
}

export function concurrency({ name, make }: Terrain): void {
  test(`${name}: Copies that are ordered at once, through two processes`, async (t) => {
    const cloud = await startCloud(t, { west: { copies: { concurrency: 4, perLink: 4 } }, ground: await make?.(t) });
    const { east, west } = cloud;
    const other = await secondProcess(t, west, { copies: { concurrency: 4, perLink: 4 } });
    await other.start();
    const shared: Shared = { ...cloud, other };
    t.afterEach(() => {
      east.network.trouble = { kind: 'none' };
    });

    await t.test('twenty requests for one image make one order and move its bytes once', async (t) => {
      const size = 24 * MiB;
      const { image } = await makeImage(east.alice, {}, { size });
      const watch = watchImages(t, other, [image.uuid]);
      const before = east.network.received;
      const sites = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? west : other));
      // One that came after the end would be a copy of its own.
      east.network.trouble = { kind: 'slow', bytesPerSecond: MiB };
      const orders = await Promise.all(sites.map((site) => site.order(image.uuid, east.name)));
      east.network.trouble = { kind: 'none' };
      t.equal(new Set(orders.map(({ order }) => order)).size, 1);
      t.equal((await other.ended(image.uuid)).state, 'succeeded');
      assertMoved(t, east.network.received - before, size);
      await watch.end();
      await assertSound(t, west);
      await assertSound(t, other);
    });

    await t.test('two orders with a common origin move it once', async (t) => {
      const { base, one, two, total } = await makeFamily(east);
      const before = east.network.received;
      await Promise.all([west.order(one, east.name), other.order(two, east.name)]);
      const ends = await Promise.all([west.ended(one), other.ended(two)]);
      t.same(
        ends.map(({ state }) => state),
        ['succeeded', 'succeeded'],
      );
      t.equal((await west.alice.getImage(base)).state, 'active');
      assertMoved(t, east.network.received - before, total);
      await assertSound(t, west);
    });

    await t.test('canceling one of them leaves the other what it needs', async (t) => {
      const { base, one, two } = await makeFamily(east);
      east.network.trouble = { kind: 'slow', bytesPerSecond: 8 * MiB };
      await Promise.all([west.order(one, east.name), other.order(two, east.name)]);
      const watch = watchImages(t, west, [base, two]);
      await west.reaches(one, ({ bytes_done }) => bytes_done > MiB);
      t.equal((await other.alice.cancelImageCopy(one)).state, 'canceled');
      t.equal((await other.ended(two)).state, 'succeeded');
      await t.rejects(west.alice.getImage(one), { code: 'ResourceNotFound' });
      await watch.end();
      await assertSound(t, west);
    });

    await t.test('an account deletes what it copies: nothing of it stays', async (t) => {
      const { image } = await makeImage(east.alice, {}, { size: 8 * MiB });
      east.network.trouble = { kind: 'slow', bytesPerSecond: 8 * MiB };
      await west.order(image.uuid, east.name);
      await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > MiB);
      await other.alice.deleteImage(image.uuid);
      t.equal((await west.ended(image.uuid)).state, 'canceled');
      await assertSound(t, west);
      t.notOk((await readDocuments(west)).transfers.some((transfer) => transfer.image === image.uuid));
    });

    await t.test('when commit and cancel race one of them wins, wholly', async (t) => {
      const outcomes = new Set<string>();
      for (let turn = 0; turn < 12; turn++) outcomes.add(await race(t, shared, turn));
      t.comment([...outcomes].join(', '));
      await assertSound(t, west);
    });
    await assertSound(t, east);
  });
}

/** Cancels a copy, a little later on each turn. */
async function race(t: Test, { east, west, other }: Shared, turn: number): Promise<string> {
  const { image } = await makeImage(east.alice, {}, { size: MiB });
  await west.order(image.uuid, east.name);
  await new Promise((resolve) => setTimeout(resolve, turn * 12));
  const canceled = await other.alice.cancelImageCopy(image.uuid).then(
    () => true,
    (error: { readonly code?: string }) => {
      t.match(error.code, /^(CopyAlreadyFinished|ResourceNotFound)$/);
      return false;
    },
  );
  const { state } = await west.ended(image.uuid);
  t.equal(state, canceled ? 'canceled' : 'succeeded');
  const found = await west.alice.getImage(image.uuid).then(
    (there) => there.state,
    (error: { readonly code?: string }) => error.code,
  );
  t.equal(found, canceled ? 'ResourceNotFound' : 'active');
  return state;
}

/** Two images with the same origin. */
async function makeFamily(site: Site): Promise<{ base: string; one: string; two: string; total: number }> {
  const size = 8 * MiB;
  const base = (await makeImage(site.alice, {}, { size })).image.uuid;
  const one = (await makeImage(site.alice, { origin: base }, { size })).image.uuid;
  const two = (await makeImage(site.alice, { origin: base }, { size })).image.uuid;
  return { base, one, two, total: 3 * size };
}
