/** A server is killed in the middle of an upload: it goes on at the byte that was told to be safe, and the file is whole. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { MiB, startSite } from '../helpers/cloud.ts';
import { MANIFEST, sha1Of } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 5 * MiB;

test('an upload outlives servers that are killed', async (t) => {
  const site = await startSite(t, 'us-west');
  const { alice } = site;
  const bytes = randomBytes(SIZE);
  const file = { compression: 'none', size: SIZE, sha1: sha1Of(bytes) } as const;
  const { uuid: image } = await alice.createImage(MANIFEST);
  const { uuid: upload } = await alice.beginImageUpload(image, file);
  const offset = async () => (await alice.getImageUpload(image, upload)).offset;
  const append = (from: number, source: Readable, size = SIZE - from) =>
    alice.appendImageUpload(image, upload, source, { offset: from, size }, { idleTimeout: 60_000 });

  await t.test('killed when bytes are safe, it goes on behind them', async (t) => {
    await site.restart({ fault: 'upload:kept=kill' });
    const part = append(0, Readable.from([bytes.subarray(0, 2 * MiB)]), 2 * MiB).catch(() => undefined);
    await site.diesByItself();
    await part;
    await site.start();
    t.equal(await offset(), 2 * MiB);
  });

  await t.test('killed while bytes arrive, it goes on at those that were safe', async (t) => {
    async function* slowly() {
      yield bytes.subarray(2 * MiB, 3 * MiB);
      // The rest never comes.
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
    }
    const part = append(2 * MiB, Readable.from(slowly())).catch(() => undefined);
    await waitFor('the first bytes to arrive', async () => {
      const second = alice.appendImageUpload(image, upload, Readable.from([bytes]), { offset: 2 * MiB, size: SIZE });
      return second.then(
        () => false,
        ({ code }: { code?: string }) => code === 'UploadInProgress',
      );
    });
    await site.restart();
    await part;
    t.equal(await offset(), 2 * MiB);
    t.match(await append(2 * MiB, Readable.from([bytes.subarray(2 * MiB)])), { files: [{ sha1: file.sha1 }] });
    const { stream } = await alice.getImageFile(image);
    t.ok(Buffer.concat(await stream.toArray()).equals(bytes));
    await assertSound(t, site);
  });

  await t.test('killed when the last byte is safe, it is finished by who comes again', async (t) => {
    const { uuid: other } = await alice.createImage(MANIFEST);
    const { uuid } = await alice.beginImageUpload(other, file);
    await site.restart({ fault: 'upload:kept=kill' });
    const all = { offset: 0, size: SIZE };
    const part = alice.appendImageUpload(other, uuid, Readable.from([bytes]), all).catch(() => undefined);
    await site.diesByItself();
    await part;
    await site.start();
    const rest = { offset: SIZE, size: 0 };
    t.match(await alice.appendImageUpload(other, uuid, Readable.from([]), rest), { files: [{ sha1: file.sha1 }] });
    await assertSound(t, site);
  });
});
