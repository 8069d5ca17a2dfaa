/** A copy counts with the size that its source announces from the moment it is ordered. */
import { test } from 'tap';
import { cancelCopy } from '#src/copies/orders/cancel.ts';
import { quotaOf, setLimits } from '#src/images/quotas/own-limits.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { copyPair } from './fixture.ts';

test('of eight copies ordered at once with room for three, three are taken', async (t) => {
  const pair = await copyPair(t);
  const { service } = pair;
  const images = await Promise.all(Array.from({ length: 8 }, () => putImage(pair.source, ALICE)));
  const size = images[0]?.record.files?.[0]?.size ?? 0;
  await setLimits(service, ALICE, { bytes: 3 * size + size - 1 });
  const orders = await Promise.allSettled(images.map(({ record }) => pair.copy(record.uuid)));
  const taken = orders.flatMap((order) => (order.status === 'fulfilled' ? [order.value] : []));
  t.equal(taken.length, 3);
  for (const order of orders) {
    if (order.status === 'rejected') t.match(order.reason, { code: 'QuotaExceeded', statusCode: 403 });
  }
  t.same((await quotaOf(service, ALICE)).used, { images: 3, bytes: 3 * size });

  await cancelCopy(service, taken[0]?.image ?? '', ALICE);
  t.same((await quotaOf(service, ALICE)).used, { images: 2, bytes: 2 * size }, 'what is canceled counts no longer');
});
