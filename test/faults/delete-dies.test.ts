/** A server is killed in the middle of deleting an image. */
import { test } from 'tap';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound, readDocuments } from '../helpers/invariants.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

const POINTS = [
  { point: 'delete:tombstone', when: 'the record is a tombstone' },
  { point: 'delete:bytes-gone', when: 'the bytes are gone' },
] as const;

test('A deletion that was begun is finished after a crash, and never half seen', async (t) => {
  const { east, west } = await startCloud(t);
  for (const { point, when } of POINTS) {
    await t.test(`killed when ${when}`, async (t) => {
      const { image } = await makeImage(east.alice);
      await east.operator.addImageIcon(image.uuid, PNG, 'image/png');
      await east.restart({ fault: `${point}=kill` });
      const deletion = east.alice.deleteImage(image.uuid).catch((error: unknown) => error);
      await east.diesByItself();
      await deletion;
      await east.start();
      await t.rejects(east.alice.getImage(image.uuid), { code: 'ResourceNotFound' });
      await t.rejects(east.operator.getImage(image.uuid), { code: 'ResourceNotFound' });
      await assertSound(t, east);
      const { uuid, name, version, type, os, owner, published_at } = image;
      const again = await east.operator.adminImportImage({ v: 2, uuid, name, version, type, os, owner, published_at });
      t.equal(again.state, 'unactivated', 'the UUID can be used again');
    });
  }

  await t.test('killed when a copy is being canceled', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: 8 * MiB });
    east.network.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
    await west.restart({ fault: 'delete:bytes-gone=kill' });
    await west.order(image.uuid, east.name);
    await west.reaches(image.uuid, ({ bytes_done }) => bytes_done > MiB);
    const cancel = west.alice.cancelImageCopy(image.uuid).catch((error: unknown) => error);
    await west.diesByItself();
    await cancel;
    await west.start();
    t.equal((await west.ended(image.uuid)).state, 'canceled');
    await assertSound(t, west);
    t.same((await readDocuments(west)).transfers, []);
    await t.rejects(west.alice.getImage(image.uuid), { code: 'ResourceNotFound' });
    east.network.trouble = { kind: 'none' };
    t.equal((await west.copy(image.uuid, east.name)).state, 'succeeded', 'it can be copied again');
    await assertSound(t, west);
  });
});
