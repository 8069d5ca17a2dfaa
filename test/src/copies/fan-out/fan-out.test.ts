/** One order to many datacenters, over real links between real servers. */
import { test } from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { COPIES } from '#src/copies/documents/model.ts';
import { FAN_OUTS, type Target, written } from '#src/copies/fan-out/model.ts';
import type { FaultPoint } from '#src/service/fault-points.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { ACCEPTS, isShown, startHub, statesOf, until } from './fixture.ts';

const account = ALICE;

test('one order brings an image to all linked datacenters', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: ACCEPTS } });
  const client = hub.client();
  const finishBy = new Date(Date.now() + 3600_000).toISOString();
  const asked = { account, datacenters: 'all', finish_by: finishBy };
  await t.rejects(client.copyImageToDcs(image, { ...asked, finish_by: 'soon' }), { message: /finish_by is "soon"/ });
  const { uuid } = await client.copyImageToDcs(image, asked);
  const ended = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.match(ended, { state: 'succeeded', account, image_uuid: image, finish_by: finishBy });
  t.same(statesOf(ended), { east: 'succeeded', west: 'succeeded' });
  for (const target of Object.values(targets)) t.ok(await isShown(target, image));
  const [order] = await targets['east']!.client().listCopies();
  t.match(order, { ordered_by: 'hub', account, datacenter: 'hub', finish_by: finishBy }, 'which is told there');
  t.match(await client.listFanOuts({ account }), [{ uuid }]);
  t.same(await client.listFanOuts({ account: BOB }), []);
  await t.rejects(client.getFanOut(uuid, { account: BOB }), { code: 'ResourceNotFound' });
  await t.rejects(client.cancelFanOut(uuid), { code: 'CopyAlreadyFinished' });
  await t.rejects(client.retryFanOut(uuid), { code: 'ValidationFailed' }, 'nothing has failed');
});

test('together: one that refuses keeps the image hidden everywhere, until it is tried again', async (t) => {
  const { hub, image, targets, restart } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const client = hub.client();
  const { uuid } = await client.copyImageToDcs(image, { account, datacenters: 'east,west', together: true });
  const halfway = await until(hub, uuid, 'one verified, one refused', (one) => {
    const { east, west } = statesOf(one);
    return east === 'verified' && west === 'failed';
  });
  t.match(halfway, { state: 'running', released: false });
  t.match(halfway.datacenters[1]?.error, { code: 'Forbidden', message: /accepts no orders of datacenter "hub"/ });
  t.notOk(await isShown(targets['east']!, image), 'hidden where it is verified');
  t.match(await targets['east']!.client().listCopies(), [{ held: true, images: [{ state: 'received' }] }]);
  const west = await restart('west');
  await t.rejects(client.retryFanOut(uuid, { finish_by: '2001-01-01' }), { message: /which has passed/ });
  const finish_by = new Date(Date.now() + 3600_000).toISOString();
  await client.retryFanOut(uuid, { datacenter: 'west', finish_by });
  const ended = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.match(ended, { state: 'succeeded', released: true, finish_by });
  t.match(await west.client().listCopies(), [{ finish_by }], 'which is told there');
  for (const target of [targets['east']!, west]) t.ok(await isShown(target, image));
});

test('of two datacenters that failed, only the one that is named is tried again', async (t) => {
  const { hub, image, restart } = await startHub(t, { targets: { east: {}, west: {} } });
  const client = hub.client();
  const { uuid } = await client.copyImageToDcs(image, { account, datacenters: 'all' });
  const failed = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.same(statesOf(failed), { east: 'failed', west: 'failed' });
  await restart('west');
  const begun = await client.retryFanOut(uuid, { datacenter: 'west' });
  t.same(begun.datacenters[0], failed.datacenters[0], 'the other one is as it was');
  const ended = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.same(statesOf(ended), { east: 'failed', west: 'succeeded' });
  t.same(ended.datacenters[0], failed.datacenters[0]);
});

test('what is canceled leaves nothing, also where it was verified', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const client = hub.client();
  const { uuid } = await client.copyImageToDcs(image, { account, datacenters: 'all', together: true });
  await until(hub, uuid, 'one verified', (one) => statesOf(one)['east'] === 'verified');
  await client.cancelFanOut(uuid, { account });
  const ended = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.match(ended, { state: 'canceled', released: false });
  t.equal(statesOf(ended)['east'], 'canceled');
  t.match(await targets['east']!.client().listCopies(), [{ state: 'canceled' }]);
  t.notOk(await isShown(targets['east']!, image));
});

test('what is canceled while it is being ordered is canceled there too, and never shown', async (t) => {
  const { hub, image, targets, networks } = await startHub(t, { targets: { east: ACCEPTS } });
  const { service } = targets['east']!.imgapi;
  const held: boolean[] = [];
  const reach = async (point: FaultPoint): Promise<void> => {
    if (point !== 'copy:order-recorded') return;
    const [order] = await service.store.find(COPIES, {});
    held.push(order?.value.hold !== undefined);
  };
  t.intercept(service, 'faults', { value: { reach } });
  networks['east']!.trouble = { kind: 'silent' };
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all' });
  await until(hub, uuid, 'the call', ({ datacenters: [east] }) => east?.tries === 1 && !east.error);
  await hub.client().cancelFanOut(uuid);
  networks['east']!.trouble = { kind: 'none' };
  networks['east']!.cutAll();
  t.match(await until(hub, uuid, 'the end', ({ state }) => state !== 'running'), { state: 'canceled' });
  t.match(await targets['east']!.client().listCopies(), [{ state: 'canceled' }]);
  t.same(held, [true], 'it was placed to be canceled by its name, and would have stayed hidden');
});

test('what one order to others cancels, another one for the same image keeps', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const client = hub.client();
  const place = async (): Promise<string> => {
    const { uuid } = await client.copyImageToDcs(image, { account, datacenters: 'all', together: true });
    await until(hub, uuid, 'one verified', (one) => statesOf(one)['east'] === 'verified');
    return uuid;
  };
  const first = await place();
  await place();
  await client.cancelFanOut(first, { account });
  t.match(await until(hub, first, 'the end', ({ state }) => state !== 'running'), { state: 'canceled' });
  const held = (await targets['east']!.client().listCopies()).map((copy) => copy.held === true);
  t.same(held.sort(), [false, true]);
});

test('an order is counted before it is placed, so that whoever cancels it after a crash knows of it', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS } });
  const tries: number[] = [];
  const reach = async (point: FaultPoint): Promise<void> => {
    if (point !== 'copy:order-recorded') return;
    const [fanOut] = await hub.imgapi.service.store.find(FAN_OUTS, {});
    tries.push(fanOut?.value.targets[0]?.tries ?? 0);
  };
  t.intercept(targets['east']!.imgapi.service, 'faults', { value: { reach } });
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all' });
  await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.same(tries, [1]);
});

test('one that is given up shows nothing later, and hides nothing: what it holds is canceled when it is there again', async (t) => {
  const { hub, image, targets, networks, restart } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'east,west', together: true });
  await until(hub, uuid, 'one verified', (one) => statesOf(one)['east'] === 'verified');
  networks['east']!.trouble = { kind: 'refuse' };
  networks['east']!.cutAll();
  // As if it had been silent for long.
  const isLongAgo = (target: Target): Target => ({ ...target, not_before: 0, heard_at: 0 });
  await updateObject(hub.imgapi.service.store, FAN_OUTS, uuid, (fanOut) =>
    written({ ...fanOut, targets: fanOut.targets.map(isLongAgo) }),
  );
  const ended = await until(hub, uuid, 'the end', ({ state }) => state !== 'running');
  t.match(ended, { state: 'failed', datacenters: [{ state: 'failed', error: { code: 'GaveUp' } }, {}] });
  const next = await restart('hub');
  t.match(await targets['east']!.client().listCopies(), [{ held: true }]);
  networks['east']!.trouble = { kind: 'none' };
  await waitFor('the hold to end', async () => (await targets['east']!.client().listCopies())[0]?.state === 'canceled');
  t.notOk(await isShown(targets['east']!, image));
  await next.client().retryFanOut(uuid, { datacenter: 'east' });
  await until(next, uuid, 'verified again', (one) => statesOf(one)['east'] === 'verified');
});

test('a datacenter that is away is tried until it is there, also by the process that follows', async (t) => {
  const { hub, image, targets, networks, restart } = await startHub(t, { targets: { east: ACCEPTS, west: ACCEPTS } });
  networks['west']!.trouble = { kind: 'refuse' };
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all' });
  await until(hub, uuid, 'one here, one tried in vain', (one) => {
    const [east, west] = one.datacenters;
    return east?.state === 'succeeded' && west?.state === 'waiting' && west.tries > 0 && west.error !== undefined;
  });
  const next = await restart('hub');
  networks['west']!.trouble = { kind: 'none' };
  const ended = await until(next, uuid, 'the end', ({ state }) => state !== 'running');
  t.equal(ended.state, 'succeeded');
  t.ok(await isShown(targets['west']!, image));
});

test('a datacenter that is silent keeps no other one waiting, and no address is told', async (t) => {
  const { hub, image, networks } = await startHub(t, { targets: { east: ACCEPTS, west: ACCEPTS } });
  networks['west']!.trouble = { kind: 'silent' };
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all' });
  const one = await until(hub, uuid, 'east', ({ datacenters: [east] }) => east?.state === 'succeeded');
  // If each round had waited for both, it would have been asked in vain twice.
  t.ok((one.datacenters[1]?.tries ?? 9) < 2);
  networks['west']!.silence();
  networks['west']!.trouble = { kind: 'refuse' };
  const tried = await until(hub, uuid, 'an error', ({ datacenters: [, west] }) => west?.error !== undefined);
  t.notMatch(tried.datacenters[1]?.error?.message, /127\.0\.0\.1/);
  await hub.client().cancelFanOut(uuid);
});

test('orders bring no more bytes in a day than the datacenter allows', async (t) => {
  const { hub, image, targets, restart } = await startHub(t, {
    targets: { east: { hub: { bytesPerDay: 1000 } } },
  });
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'east' });
  const refused = await until(hub, uuid, 'a refusal', ({ datacenters: [east] }) => east?.error !== undefined);
  t.match(refused.datacenters[0], {
    state: 'waiting',
    error: { code: 'TooManyRequests', message: /may order 1000 bytes a day here; 1000 are left today/ },
  });
  t.same(await targets['east']!.client().listCopies(), [], 'nothing was begun');
  await restart('east');
  await until(hub, uuid, 'the end', ({ state }) => state === 'succeeded');
});

test('a hold that nobody ends fails its order, and the bytes serve the next one', async (t) => {
  const { hub, image, targets } = await startHub(t, { targets: { east: ACCEPTS, west: {} } });
  const { uuid } = await hub.client().copyImageToDcs(image, { account, datacenters: 'all', together: true });
  const verified = await until(hub, uuid, 'one verified', (one) => statesOf(one)['east'] === 'verified');
  const { service } = targets['east']!.imgapi;
  await updateObject(service.store, COPIES, String(verified.datacenters[0]?.order), (order) => ({
    ...order,
    hold: { until: service.store.now() - 1 },
    rev: order.rev + 1,
  }));
  const failed = await until(hub, uuid, 'a failure', (one) => statesOf(one)['east'] === 'failed');
  t.match(failed.datacenters[0]?.error, { code: 'HoldExpired' });
  t.equal(failed.state, 'failed');
  await hub.client().retryFanOut(uuid, { datacenter: 'east' });
  const again = await until(hub, uuid, 'verified again', (one) => statesOf(one)['east'] === 'verified');
  t.not(again.datacenters[0]?.order, verified.datacenters[0]?.order);
});

test('bad requests are refused with what is wrong', async (t) => {
  const { hub, image } = await startHub(t, { targets: { east: ACCEPTS } });
  const client = hub.client();
  const order = (datacenters: string, as = ALICE) => client.copyImageToDcs(image, { account: as, datacenters });
  await t.rejects(order('nowhere'), {
    code: 'ValidationFailed',
    message: /names "nowhere", which is not linked; linked are east/,
  });
  await t.rejects(order('east,'), { code: 'ValidationFailed', message: /names ""/ });
  await t.rejects(order(''), { code: 'ValidationFailed' });
  await t.rejects(order('east', BOB), { code: 'ResourceNotFound' }, 'the image of somebody else is not there');
  t.same(await client.listFanOuts(), [], 'and nothing was ordered');
});
