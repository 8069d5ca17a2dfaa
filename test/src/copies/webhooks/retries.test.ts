/** Each kind of order can be tried again with what its message says, as the page on webhooks has it. */
import { type Test, test } from 'tap';
import { COPIES } from '#src/copies/documents/model.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { type Received, type Receiver, startReceiver, writeSecret } from '../../../helpers/webhooks.ts';
import { ACCEPTS, isShown, startHub, statesOf, until } from '../fan-out/fixture.ts';

const account = ALICE;

async function hookTo({ url }: Receiver, t: Test): Promise<object> {
  return { name: 'tickets', url, secretFile: await writeSecret(t) };
}

/** Of one event, from one datacenter; waits until there is one. */
async function told(receiver: Receiver, event: string, datacenter: string): Promise<Received['message']> {
  for (let count = 1; ; count++) {
    const all = (await receiver.got(count)).map(({ message }) => message);
    const found = all.findLast((message) => message.event === event && message.datacenter === datacenter);
    if (found) return found;
  }
}

/** The order for an image, which waits, fails. */
async function fail(service: Service, image: string): Promise<void> {
  const found = await service.store.find(COPIES, { filter: { op: 'eq', field: 'image', value: image } });
  const order = found.find(({ value }) => value.live);
  if (!order) throw new Error('there is no order');
  const failure = { code: 'SourceError', message: 'east is away' } as const;
  await endOrder(service, order.key, { event: 'fail', image, failure });
}

/** A datacenter whose copies wait, and one that they come from. */
async function waitingPair(t: Test, receiver: Receiver) {
  const east = await startInProcess(t, { datacenterName: 'east' });
  const west = await startInProcess(t, {
    datacenterName: 'west',
    imgapiUrlFromDatacenter: { east: east.url },
    webhooks: [await hookTo(receiver, t)],
    copies: { concurrency: 1, bandwidth: { east: '1 B/s' } },
  });
  const { image: first } = await makeImage(east.client(), {}, { owner: ALICE });
  await west.client({ account }).copyImageFromDc(first.uuid, { datacenter: 'east' });
  await waitFor('it to take the only place', async () => (await west.client().listCopies())[0]?.state === 'running');
  const { image } = await makeImage(east.client(), {}, { owner: ALICE });
  return { east, west, uuid: image.uuid, service: west.imgapi.service };
}

test('A copy for an account is ordered again with its deadline', async (t) => {
  const receiver = await startReceiver(t);
  const { west, uuid, service } = await waitingPair(t, receiver);
  const finish_by = new Date(Date.now() + 3600_000).toISOString();
  await west.client({ account }).copyImageFromDc(uuid, { datacenter: 'east', finish_by });
  await fail(service, uuid);
  const { kind, image = '', source = '', account: asked = '', ...rest } = await told(receiver, 'copy-failed', 'west');
  t.match(rest, { finish_by, error: { code: 'SourceError' } });
  t.equal(kind, 'copy-from-dc');
  t.notOk('ordered_by' in rest || 'fan_out' in rest || 'held' in rest);
  const again = { datacenter: source, finish_by: rest.finish_by ?? '' };
  t.match(await west.client({ account: asked }).copyImageFromDc(image, again), { finish_by, datacenter: 'east' });
});

test('An import from another datacenter is ordered again in its own form', async (t) => {
  const receiver = await startReceiver(t);
  const { west, uuid, service } = await waitingPair(t, receiver);
  await west.client({ account }).importImageFromDatacenter(uuid, 'east');
  await fail(service, uuid);
  const { kind, image = '', source = '', account: asked = '' } = await told(receiver, 'copy-failed', 'west');
  t.equal(kind, 'import-from-datacenter');
  t.match(await west.client({ account: asked }).importImageFromDatacenter(image, source), {
    image_uuid: uuid,
  });
});

test('An import of an operator is ordered again from its URL, unless that held a secret', async (t) => {
  const receiver = await startReceiver(t);
  const { east, west, uuid, service } = await waitingPair(t, receiver);
  const finish_by = new Date(Date.now() + 3600_000).toISOString();
  const operator = west.client();
  await t.rejects(operator.adminImportRemoteImage(uuid, east.url.replace('//', '//user:secret@')), {
    message: /must not contain a user or a password/,
  });
  await operator.adminImportRemoteImage(uuid, east.url, { finish_by });
  await fail(service, uuid);
  const { kind, image = '', source = '', ...rest } = await told(receiver, 'copy-failed', 'west');
  t.equal(kind, 'import-remote');
  t.notOk('account' in rest);
  t.equal(source, east.url);
  const again = { finish_by: rest.finish_by ?? '' };
  t.match(await operator.adminImportRemoteImage(image, source, again), { image_uuid: uuid });
  await operator.cancelImageCopy(uuid);
  await operator.adminImportRemoteImage(uuid, `${east.url}?token=of-east`);
  await fail(service, uuid);
  const all = await waitFor('the last one', () => receiver.received.length === 3 && receiver.received);
  t.equal(all.at(-1)?.message.source, `${east.url}?token=(hidden)`);
  t.notMatch(JSON.stringify(all.map(({ body }) => body)), /of-east/);
});

test('A fan-out that failed in one datacenter is tried again there, and its end is told', async (t) => {
  const receiver = await startReceiver(t);
  const webhooks = [await hookTo(receiver, t)];
  const { hub, image, restart } = await startHub(t, { targets: { east: ACCEPTS, west: {} }, webhooks });
  const finish_by = new Date(Date.now() + 3600_000).toISOString();
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all', finish_by });
  const failed = await told(receiver, 'fan-out-failed', 'hub');
  t.match(failed, { fan_out: uuid, image, account, together: false, released: false, finish_by, finished_at: /^2/ });
  t.match(failed.datacenters, [
    { datacenter: 'east', state: 'succeeded', order: /./ },
    { datacenter: 'west', state: 'failed', error: { code: 'Forbidden' } },
  ]);
  const part = await told(receiver, 'copy-done', 'east');
  t.match(part, { ordered_by: 'hub', fan_out: uuid, finish_by, order: failed.datacenters?.[0]?.order });
  t.notOk('held' in part);
  await restart('west');
  const { fan_out = '', account: owner = '', datacenters = [] } = failed;
  const datacenter = datacenters.find(({ state }) => state === 'failed')?.datacenter ?? '';
  await hub.client({ account: owner }).retryFanOut(fan_out, { datacenter, finish_by: failed.finish_by ?? '' });
  const done = await told(receiver, 'fan-out-done', 'hub');
  t.match(done, { fan_out: uuid, datacenters: [{ state: 'succeeded' }, { state: 'succeeded' }] });
  t.notMatch(done.datacenters?.[1], { error: {} });
  t.not(done.id, failed.id);
  const ofHub = receiver.received.filter(({ message }) => message.fan_out === uuid && message.datacenter === 'hub');
  t.equal(new Set(ofHub.map(({ message }) => message.id)).size, 2, 'nothing else is told of it');
});

test('With together, one that fails is told at once, as the others wait for it; its part says that it was held', async (t) => {
  const receiver = await startReceiver(t);
  const webhooks = [await hookTo(receiver, t)];
  const { hub, image, targets, restart } = await startHub(t, { targets: { east: ACCEPTS, west: {} }, webhooks });
  const client = hub.client();
  const { uuid } = await client.copyImageToDcs(image, { account, datacenters: 'east,west', together: true });
  const blocked = await told(receiver, 'fan-out-blocked', 'hub');
  t.match(blocked, { fan_out: uuid, together: true, released: false, account });
  t.match(blocked.datacenters?.[1], { datacenter: 'west', state: 'failed', error: { code: 'Forbidden' } });
  t.notOk('finished_at' in blocked);
  await until(hub, uuid, 'one verified', (one) => statesOf(one)['east'] === 'verified');
  const east = targets['east'];
  if (!east) throw new Error('there is no east');
  await fail(east.imgapi.service, image);
  const held = await told(receiver, 'copy-failed', 'east');
  t.match(held, { ordered_by: 'hub', fan_out: uuid, held: true, image, account });
  await until(hub, uuid, 'both to have failed', ({ state }) => state === 'failed');
  t.match(await told(receiver, 'fan-out-failed', 'hub'), { datacenters: [{ state: 'failed' }, { state: 'failed' }] });
  // As the page says: where it was ordered, so that it stays hidden here until it is everywhere.
  await client.retryFanOut(held.fan_out ?? '', { datacenter: held.datacenter ?? '' });
  await until(hub, uuid, 'verified again', (one) => statesOf(one)['east'] === 'verified');
  t.notOk(await isShown(east, image));
  await client.cancelFanOut(uuid);
  t.match(await told(receiver, 'fan-out-canceled', 'hub'), { fan_out: uuid, released: false });
  t.match(await told(receiver, 'copy-canceled', 'east'), { held: true, fan_out: uuid });
  await restart('west');
  await client.retryFanOut(uuid);
  t.match(await told(receiver, 'fan-out-done', 'hub'), { together: true, released: true });
  t.notOk('held' in (await told(receiver, 'copy-done', 'east')), 'it was released');
});
