/** A server is killed while an image is deleted so that it can be restored, restored, or purged. */
import { test } from 'tap';
import { startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';

const KEEPING = { images: { keepDeletedSeconds: 600 } };

test('A deleted image is restored or gone after a crash, and never half', async (t) => {
  const { east } = await startCloud(t);
  await t.test('killed when it was deleted', async (t) => {
    const { image } = await makeImage(east.alice);
    await east.restart({ fault: 'delete:kept=kill', keys: KEEPING });
    const deletion = east.alice.deleteImage(image.uuid).catch((error: unknown) => error);
    await east.diesByItself();
    await deletion;
    await east.start();
    await t.rejects(east.alice.getImage(image.uuid), { code: 'ResourceNotFound' });
    await assertSound(t, east);
    t.same(await east.alice.undeleteImage(image.uuid), image);
    await assertSound(t, east);
  });

  await t.test('killed when it was restored', async (t) => {
    const { image } = await makeImage(east.alice);
    await east.alice.deleteImage(image.uuid);
    await east.restart({ fault: 'undelete:recorded=kill' });
    const restoring = east.alice.undeleteImage(image.uuid).catch((error: unknown) => error);
    await east.diesByItself();
    await restoring;
    await east.start();
    t.same(await east.alice.getImage(image.uuid), image);
    await assertSound(t, east);
  });

  for (const point of ['delete:tombstone', 'delete:bytes-gone'] as const) {
    await t.test(`killed when it was purged, at ${point}`, async (t) => {
      const { image } = await makeImage(east.alice);
      await east.alice.deleteImage(image.uuid);
      await east.restart({ fault: `${point}=kill` });
      const purging = east.alice.purgeImage(image.uuid).catch((error: unknown) => error);
      await east.diesByItself();
      await purging;
      await east.start();
      await t.rejects(east.alice.undeleteImage(image.uuid), { code: 'ResourceNotFound' });
      await assertSound(t, east);
    });
  }
});
