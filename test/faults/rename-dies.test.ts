/** A server is killed while an image gets another UUID: it is whole under one of both, and nothing is under the other. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { MiB, startSite } from '../helpers/cloud.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const POINTS = [
  ['rename:reserved', 'the new UUID is reserved', 'old'],
  ['rename:placed', 'the bytes are under both names', 'old'],
  ['delete:tombstone', 'the image has its new UUID', 'new'],
  ['delete:bytes-gone', 'the old bytes are gone', 'new'],
] as const;

test('An image that was about to get another UUID when its server was killed has one of both', async (t) => {
  const site = await startSite(t, 'us-east');
  for (const [point, when, which] of POINTS) {
    await t.test(`killed when ${when}`, async (t) => {
      const { image, bytes } = await makeImage(site.operator, {}, { owner: ALICE, size: 2 * MiB, activate: false });
      await site.operator.addImageIcon(image.uuid, PNG, 'image/png');
      const to = randomUUID();
      await site.restart({ fault: `${point}=kill` });
      const update = site.operator.updateImage(image.uuid, { uuid: to }).catch((error: unknown) => error);
      await site.diesByItself();
      await update;
      await site.start();
      const [here, gone] = which === 'old' ? [image.uuid, to] : [to, image.uuid];
      t.equal(await sha1Served(site.operator, here), sha1Of(bytes));
      await t.rejects(site.operator.getImage(gone), { code: 'ResourceNotFound' });
      await assertSound(t, site);
      t.equal((await site.operator.updateImage(here, { uuid: gone })).uuid, gone, 'it can be tried again');
      t.equal(await sha1Served(site.operator, gone), sha1Of(bytes));
      await assertSound(t, site);
    });
  }
});
