import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { request } from 'undici';
import { createPullUrl, type PullUrlRequest } from '#src/pulls/create-pull-url.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { endPull, wasPulledBy } from '#src/pulls/pull-link.ts';
import { reapPulls } from '#src/pulls/reaper.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { clientOf, type Datacenter, linkedPair, putImage, startDatacenter } from '../../helpers/datacenter.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const datacenter = 'us-east-1';

function ask(dc: Datacenter, uuid: string, more: Partial<PullUrlRequest> = {}): PullUrlRequest {
  return { uuid, index: 0, account: ALICE, datacenter, requestId: randomUUID(), baseUrl: dc.url, ...more };
}

async function held({ service }: Datacenter): Promise<number> {
  const local = service.storages.named('local');
  const days = await local.list('pulls');
  return (await Promise.all(days.map(({ name }) => local.list(`pulls/${name}`)))).flat().length;
}

test('a pull link that was ended opens nothing, holds nothing and is renewed no more; it is remembered for its days', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const { record } = await putImage(dc, ALICE);
  const { url, reqid } = await createPullUrl(dc.service, ask(dc, record.uuid));
  t.equal(await endPull(dc.service, { reqid, datacenter }), true);
  t.equal(await held(dc), 0);
  t.equal((await request(url)).statusCode, 404);
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid, { renew: reqid })), { code: 'ResourceNotFound' });
  t.ok(await wasPulledBy(dc.service, { uuid: record.uuid, account: ALICE, datacenter }));
  t.equal(await endPull(dc.service, { reqid, datacenter }), true, 'again');
  dc.clock.ahead = 4 * DAY_MS;
  await reapPulls(dc.service);
  t.equal(await dc.service.store.count(PULL_LINKS), 0);
  t.equal(await endPull(dc.service, { reqid, datacenter }), false);
});

test('what a first call left behind goes with the second', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const { record } = await putImage(dc, ALICE);
  const { reqid } = await createPullUrl(dc.service, ask(dc, record.uuid));
  const local = dc.service.storages.named('local');
  const { remove } = local;
  local.remove = () => Promise.reject(new Error('the store is down'));
  await t.rejects(endPull(dc.service, { reqid, datacenter }), /store is down/);
  local.remove = remove;
  t.equal(await endPull(dc.service, { reqid, datacenter }), true);
  t.equal(await held(dc), 0);
});

test('a link is ended only by the datacenter that it was made for', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record } = await putImage(west, ALICE);
  const operators = await createPullUrl(
    west.service,
    ask(west, record.uuid, { datacenter: undefined, account: undefined }),
  );
  const others = await createPullUrl(west.service, ask(west, record.uuid, { datacenter: 'eu-ams-1' }));
  const own = await createPullUrl(west.service, ask(west, record.uuid));
  const client = await clientOf(east, 'us-west-1');
  const end = (reqid: string) => client.json({ method: 'POST', path: `/link/pulls/${reqid}/end` });
  for (const reqid of [operators.reqid, others.reqid, randomUUID(), 'nonsense']) {
    t.strictSame(await end(reqid), { ended: false });
  }
  t.equal(await held(west), 3);
  t.strictSame(await end(own.reqid), { ended: true });
  t.equal(await held(west), 2);
  const unsigned = await request(`${west.url}/link/pulls/${others.reqid}/end`, { method: 'POST' });
  t.equal(unsigned.statusCode, 401);
});

test('a link that is renewed on another day holds one name only', async (t) => {
  const dc = await startDatacenter(t, 'us-west-1');
  const { record } = await putImage(dc, ALICE);
  const { reqid } = await createPullUrl(dc.service, ask(dc, record.uuid));
  dc.clock.ahead = DAY_MS;
  await createPullUrl(dc.service, ask(dc, record.uuid, { renew: reqid }));
  t.equal(await held(dc), 1);
});
