/** What an account orders from its machines counts, although a node brings it. */
import { test } from 'tap';
import { quotaOf, setLimits } from '#src/images/quotas/own-limits.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { endOf, siteInProcess } from './fixture.ts';

const FIELDS = { name: 'mine', version: '1.0.0' } as const;

test('an image from a machine keeps to the quota of the account that ordered it', async (t) => {
  const { triton, alice, operator, vm, server } = await siteInProcess(t);
  const { service } = server.imgapi;
  const size = 50_000;
  const order = () => alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });

  await setLimits(service, ALICE, { bytes: size - 1 });
  const large = await order();
  t.match(await endOf(alice, large.job_uuid), { execution: 'failed' }, 'it is too large, as turns out when it comes');
  t.same((await quotaOf(service, ALICE)).used, { images: 1, bytes: 0 });
  await alice.deleteImage(large.image_uuid);

  await setLimits(service, ALICE, { bytes: size, images: null });
  t.match(await endOf(alice, (await order()).job_uuid), { execution: 'succeeded' });
  await t.rejects(order(), { statusCode: 403, code: 'QuotaExceeded' }, 'nothing is left to begin with');
  t.equal(triton.node.orders.length, 2);

  const fields = { ...FIELDS, owner: ALICE };
  const { job_uuid: job } = await operator.createImageFromVm(fields, { vmUuid: vm.uuid });
  t.match(await endOf(operator, job), { execution: 'succeeded' }, 'operators go on');
});
