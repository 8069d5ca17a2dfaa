/** Clocks of datacenters or processes that differ. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { link, MiB, secondProcess, startCloud, startSite } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 24 * MiB;
/** More than links tolerate. */
const SKEW = 400_000;

test('Datacenters whose clocks are apart are told so when they link', async (t) => {
  const [east, west] = await Promise.all([startSite(t, 'us-east'), startSite(t, 'us-west')]);
  await west.server.stop();
  await west.start({ later: SKEW });
  t.match(await link(east, west), {
    ok: false,
    problems: [{ problem: /clock/, mend: 'synchronize both clocks with NTP' }],
  });
  await west.server.stop();
  await west.start();
  t.match(await west.administer('POST', `/datacenters/${east.name}/check`), { ok: true }, 'once they agree it works');
});

test('A copy while the clock of one side is wrong', async (t) => {
  const { east, west } = await startCloud(t);

  await t.test('is refused with the reason, and leaves nothing', async (t) => {
    const { image } = await makeImage(east.alice);
    await west.server.stop();
    await west.start({ later: SKEW });
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
      await west.start({ later: wrong });
      const { images, state } = await west.reaches(image.uuid, (status) => status.images[0]?.error !== undefined);
      t.match(images[0]?.error, { code: 'SourceUnauthorized', message: /clock/ });
      t.equal(state, 'running');
      await west.server.stop();
      await west.start({ later: right });
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

/** As if the process had run on another machine: nobody here can see that it has died, so only its lease counts. */
async function forgetWhoPlaces(dataDir: string, uuid: string): Promise<void> {
  const store = await openSqliteStore({ path: join(dataDir, 'imgapi.db') });
  try {
    await store.open([IMAGES]);
    const stored = await store.get(IMAGES, uuid);
    if (!stored?.value.intent) throw new Error('nothing is being placed');
    const { worker: _worker, ...intent } = stored.value.intent;
    const value = { ...stored.value, intent };
    await store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value, ifEtag: stored.etag }]);
  } finally {
    await store.close();
  }
}

const TEN_DAYS = 10 * 24 * 60 * 60 * 1000;

test('A process whose clock is ten days ahead sweeps no upload that is under way, and holds nothing for ever', async (t) => {
  const site = await startSite(t, 'us-east');
  const wrong = await secondProcess(t, site);
  await wrong.start({ ahead: TEN_DAYS });

  await t.test('an upload goes on while the other one sweeps', async (t) => {
    const { image } = await makeImage(site.alice);
    const created = await site.alice.createImage({ name: 'slow', version: '1', os: 'linux', type: 'zone-dataset' });
    const bytes = Buffer.alloc(MiB, 'x');
    let swept = 0;
    async function* slowly(): AsyncGenerator<Buffer> {
      yield bytes;
      // Outlasts the grace time of staged files, so that only the register of uploads protects it.
      for (; swept < 3; swept += 1) {
        await waitFor('the grace time to pass', () => pastGrace());
        await wrong.administer('POST', '/admin/reap');
      }
      yield bytes;
    }
    const begun = Date.now();
    const pastGrace = (): boolean => Date.now() - begun > 700;
    await site.alice.addImageFile(created.uuid, Readable.from(slowly()), { compression: 'none', size: 2 * MiB });
    t.equal(swept, 3);
    const { files } = await site.alice.getImage(created.uuid);
    t.equal(files[0]?.size, 2 * MiB);
    t.ok(await wrong.operator.getImage(image.uuid));
    await assertSound(t, site);
  });

  await t.test('what it was about to place when it died is free again as soon as from any other', async (t) => {
    const { image } = await makeImage(site.alice, {}, { activate: false });
    await wrong.kill();
    await wrong.start({ ahead: TEN_DAYS, fault: 'upload:intent-recorded=kill' });
    const upload = wrong.alice.addImageFile(image.uuid, Readable.from([Buffer.alloc(MiB)]), {
      compression: 'none',
      size: MiB,
    });
    const failing = t.rejects(upload);
    await wrong.diesByItself();
    await failing;
    await forgetWhoPlaces(site.dataDir, image.uuid);
    const again = (): Promise<unknown> =>
      site.alice.addImageFile(image.uuid, Readable.from([Buffer.alloc(1000)]), { compression: 'none' });
    await t.rejects(again(), { code: 'ImageFileBusy' }, 'while the lease lasts');
    await site.restart({ later: 60_000 });
    await again();
    await assertSound(t, site);
  });
});
