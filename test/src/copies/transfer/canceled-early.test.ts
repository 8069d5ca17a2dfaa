/** A copy is canceled before its transfer has staged anything. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { cancelCopy } from '#src/copies/orders/cancel.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { startCopyWorker } from '#src/copies/transfer/worker.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { ended } from '../fixture.ts';
import { honestly, lyingPair, PATIENT, PIECES } from '../lying-pair.ts';

/** A transfer learns of its end when it has staged something, and another one begins after it. */
const ONE = { ...PATIENT, heartbeatSeconds: 30, concurrency: 1 };

test('a copy that is canceled while the list of its pieces comes leaves nothing staged', async (t) => {
  const { source, dest, uuid } = await lyingPair(t, ONE);
  const { service } = dest;
  const other = await putImage(source, ALICE, {}, randomBytes(1000));
  const asked = Promise.withResolvers<void>();
  const canceled = Promise.withResolvers<void>();
  source.lies = [
    {
      path: PIECES,
      answer: async (incoming, response) => {
        asked.resolve();
        await canceled.promise;
        honestly(source)(incoming, response);
      },
    },
  ];
  const worker = startCopyWorker(service, { pollMs: 20 });
  t.teardown(() => worker.stop());
  const order = (image: string) => {
    const wish = { uuid: image, account: ALICE, dryRun: false, doNotRestart: false };
    return copyFromDatacenter(service, { ...wish, source: linkSource(service, source.name) }, AbortSignal.any([]));
  };
  await order(uuid);
  await asked.promise;
  await cancelCopy(service, uuid, ALICE);
  canceled.resolve();
  t.equal((await ended(service, (await order(other.record.uuid)).uuid)).state, 'succeeded');
  t.same(await service.storages.named('local').sessions(), []);
});
