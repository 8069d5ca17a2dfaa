/** Clocks that do not agree. */
import { test } from 'tap';
import { link, MiB, secondProcess, startCloud, startSite } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';

const SIZE = 24 * MiB;
/** More than links forgive. */
const SKEW = 400_000;

test('Datacenters whose clocks are apart are told so when they link', async (t) => {
  const [east, west] = await Promise.all([startSite(t, 'us-east'), startSite(t, 'us-west')]);
  await west.server.stop();
  await west.start({ ahead: SKEW });
  t.match(await link(east, west), { ok: false, problems: [{ problem: /clock/, mend: 'set both clocks by NTP' }] });
  await west.server.stop();
  await west.start();
  t.match(await west.administer('POST', `/datacenters/${east.name}/check`), { ok: true }, 'once they agree it works');
});

test('A copy while the clock of one side is wrong', async (t) => {
  const { east, west } = await startCloud(t);

  await t.test('is refused with the reason, and leaves nothing', async (t) => {
    const { image } = await makeImage(east.alice);
    await west.server.stop();
    await west.start({ ahead: SKEW });
    await t.rejects(west.order(image.uuid, east.name), { code: 'RemoteSourceError', message: /clock/ });
    await t.rejects(west.operator.getImage(image.uuid), { code: 'ResourceNotFound' });
    await west.server.stop();
    await west.start();
    t.equal((await west.copy(image.uuid, east.name)).state, 'succeeded', 'when the clock is mended it works');
    await assertSound(t, west);
  });

  for (const [wrong, right] of [
    [SKEW, 0],
    [-SKEW, 0],
  ] as const) {
    await t.test(`waits when that happens midway, ${wrong} ms, and goes on when it is mended`, async (t) => {
      const { image } = await makeImage(east.alice, {}, { size: SIZE });
      east.network.trouble = { kind: 'slow', bytesPerSecond: 16 * MiB };
      const before = east.network.received;
      await west.order(image.uuid, east.name);
      const watch = watchImages(t, west, [image.uuid]);
      await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > SIZE / 3);
      await west.server.stop();
      await west.start({ ahead: wrong });
      const { images, state } = await west.reaches(image.uuid, (status) => status.images[0]?.error !== undefined);
      t.match(images[0]?.error, { code: 'SourceUnauthorized', message: /clock/ });
      t.equal(state, 'running');
      await west.server.stop();
      await west.start({ ahead: right });
      t.equal((await west.ended(image.uuid)).state, 'succeeded');
      assertMoved(t, east.network.received - before, SIZE);
      await watch.end();
      await assertSound(t, west);
    });
  }
});

test('Processes whose clocks are further apart than a lease share the work without spoiling it', async (t) => {
  const { east, west } = await startCloud(t);
  const other = await secondProcess(t, west);
  await other.start({ ahead: 60_000 });
  const made = await Promise.all(Array.from({ length: 4 }, () => makeImage(east.alice, {}, { size: SIZE / 4 })));
  east.network.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
  const before = east.network.received;
  const copies = made.map(async ({ image }, index) => {
    const watch = watchImages(t, west, [image.uuid]);
    await (index % 2 === 0 ? west : other).order(image.uuid, east.name);
    t.equal((await west.ended(image.uuid)).state, 'succeeded');
    await watch.end();
  });
  await Promise.all(copies);
  assertMoved(t, east.network.received - before, SIZE);
  await assertSound(t, west);
  await assertSound(t, other);
});
