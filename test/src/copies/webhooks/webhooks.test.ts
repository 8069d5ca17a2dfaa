/** Webhooks are told of orders that ended: signed, at least once, and without holding anybody up. */
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { type Test, test } from 'tap';
import { COPIES } from '#src/copies/documents/model.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { deliverTo } from '#src/copies/webhooks/deliver.ts';
import { copyMessages } from '#src/copies/webhooks/messages.ts';
import { ANSWERS, OUTBOX } from '#src/copies/webhooks/outbox.ts';
import { expireMessages, retryWebhook, webhookStatuses } from '#src/copies/webhooks/upkeep.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { type ConfigKeys, type InProcess, startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { exampleOfPage, type Receiver, SECRET, startReceiver, taken, writeSecret } from '../../../helpers/webhooks.ts';

const HOUR = 60 * 60 * 1000;
const NONE = new AbortController().signal;

interface Two {
  readonly east: InProcess;
  readonly west: InProcess;
  /** Orders a copy of a new image of alice. Returns its UUID. */
  order(): Promise<string>;
}

async function two(t: Test, webhooks: readonly object[], keys: ConfigKeys = {}): Promise<Two> {
  const east = await startInProcess(t, { datacenterName: 'east' });
  const imgapiUrlFromDatacenter = { east: east.url };
  const west = await startInProcess(t, { datacenterName: 'west', imgapiUrlFromDatacenter, webhooks, ...keys });
  return {
    east,
    west,
    async order() {
      const { image } = await makeImage(east.client(), {}, { owner: ALICE });
      await west.client({ account: ALICE }).copyImageFromDc(image.uuid, { datacenter: 'east' });
      return image.uuid;
    },
  };
}

async function hookTo(t: Test, { url }: Pick<Receiver, 'url'>, fields: object = {}): Promise<object> {
  return { name: 'tickets', url, secretFile: await writeSecret(t), ...fields };
}

/** What `imgapiadm webhooks` shows of the only one. */
async function stateOf({ west }: Two) {
  const [state] = await webhookStatuses(west.imgapi.service);
  if (!state) throw new Error('there is no webhook');
  return state;
}

/** A message as of an order that failed. */
async function put(service: Service, hook: string): Promise<string> {
  const created_at = new Date(service.store.now()).toISOString();
  const image = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';
  const order = { uuid: image, kind: 'copy-from-dc', image, images: [image], members: [], source: 'east' } as const;
  const writes = copyMessages(service, 'copy-failed', {
    ...order,
    state: 'failed',
    live: false,
    created_at,
    rev: 1,
  });
  const write = writes.find((one) => one.op === 'put' && (one.value as { hook: string }).hook === hook);
  if (!write) throw new Error(`no message to ${hook}`);
  await service.store.batch([write]);
  return write.key;
}

test('An order that is done is told of with a signature that the example of the page verifies', async (t) => {
  const receiver = await startReceiver(t);
  const site = await two(t, [await hookTo(t, receiver)]);
  const uuid = await site.order();
  const [first] = await receiver.got(1);
  if (!first) throw new Error('nothing came');
  const { message, headers, body } = first;
  t.match(message, {
    event: 'copy-done',
    datacenter: 'west',
    kind: 'copy-from-dc',
    image: uuid,
    images: [uuid],
    source: 'east',
    account: ALICE,
    request_id: /./,
  });
  t.notOk('error' in message);
  const [order] = await site.west.imgapi.service.store.find(COPIES, {});
  t.equal(message.order, order?.key);
  t.equal(message.finished_at, order?.value.finished_at);
  t.match(headers, { 'content-type': 'application/json', 'x-imgapi-event': 'copy-done' });
  t.equal(headers['x-imgapi-delivery'], message.id);
  const isGenuine = await exampleOfPage();
  const signature = String(headers['x-imgapi-signature']);
  t.ok(isGenuine(SECRET, signature, body));
  t.notOk(isGenuine('another secret, also long enough', signature, body));
  t.notOk(isGenuine(SECRET, signature, body.replace('east', 'oost')));
  t.notOk(isGenuine(SECRET, signature, body, Date.now() + HOUR), 'an old one that somebody sends again');
  t.notOk(isGenuine(SECRET, signature.replace(/t=\d+/, `t=${Math.floor(Date.now() / 1000) + 60}`), body));
  for (const bad of ['', 't=1', 'v1=00', `t=x,v1=${'0'.repeat(64)}`]) t.notOk(isGenuine(SECRET, bad, body), bad);
  const state = await waitFor('the answer to be noted', async () => {
    const now = await stateOf(site);
    return now.last && now;
  });
  t.match(state, { name: 'tickets', queued: 0, given_up: 0, last: { id: message.id, status: 204 } });
});

test('What failed can be ordered again with what the message says; what was canceled is told as well', async (t) => {
  const receiver = await startReceiver(t);
  const site = await two(t, [await hookTo(t, receiver)], { copies: { concurrency: 1, bandwidth: { east: 1 } } });
  const { service } = site.west.imgapi;
  const uuid = await site.order();
  const [order] = await service.store.find(COPIES, {});
  await endOrder(service, order?.key ?? '', {
    ...{ event: 'fail', image: uuid },
    failure: { code: 'SourceError', message: 'east is away' },
  });
  const [failed] = await receiver.got(1);
  t.match(failed?.message, { event: 'copy-failed', error: { code: 'SourceError', message: 'east is away' } });
  const { image = '', source = '', account = '' } = failed?.message ?? {};
  t.notOk('finish_by' in (failed?.message ?? {}) || 'held' in (failed?.message ?? {}));
  await site.west.client({ account }).copyImageFromDc(image, { datacenter: source });
  await site.west.client({ account }).cancelImageCopy(image);
  const [, canceled] = await receiver.got(2);
  t.match(canceled?.message, { event: 'copy-canceled', image: uuid });
  t.not(canceled?.message.id, failed?.message.id);
});

test('A webhook gets only the events that it asks for', async (t) => {
  const [all, failures] = [await startReceiver(t), await startReceiver(t)];
  const site = await two(t, [
    await hookTo(t, all),
    await hookTo(t, failures, { name: 'failures', events: ['copy-failed'] }),
  ]);
  await site.order();
  await all.got(1);
  t.equal((await webhookStatuses(site.west.imgapi.service)).find(({ name }) => name === 'failures')?.queued, 0);
  t.strictSame(failures.received, []);
});

function statusOf(status: number): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { location: '/elsewhere' });
    response.end('no');
  };
}

const REFUSALS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'answered 500': statusOf(500),
  'answered 307; redirects are not followed': statusOf(307),
  'answered 404': statusOf(404),
};

test('Whatever is no 2xx is sent again with the same ID, until it is taken', async (t) => {
  const receiver = await startReceiver(t);
  const site = await two(t, [await hookTo(t, receiver)]);
  const { service } = site.west.imgapi;
  const [hook] = service.config.webhooks;
  if (!hook) throw new Error('there is no webhook');
  for (const [error, answer] of Object.entries(REFUSALS)) {
    receiver.answer(answer);
    const before = receiver.received.length;
    const id = await put(service, 'tickets');
    await waitFor('the answer to be noted', async () => (await stateOf(site)).last?.id === id);
    t.match((await stateOf(site)).last, { error });
    t.match(await stateOf(site), { queued: 1, oldest: /^2/ });
    receiver.answer(taken);
    t.equal(await retryWebhook(service, 'tickets'), 1);
    await waitFor('it to be taken', async () => (await stateOf(site)).queued === 0);
    const ids = receiver.received.slice(before).map(({ message }) => message.id);
    t.ok(ids.length >= 2 && ids.every((one) => one === id), error);
    t.ok(receiver.received.every(({ path }) => path === '/imgapi'));
  }
  await t.rejects(retryWebhook(service, 'others'), { code: 'ResourceNotFound' });
});

test('An answer that never ends is not read, and one that never begins ends with the deadline', async (t) => {
  const receiver = await startReceiver(t);
  const site = await two(t, [await hookTo(t, receiver)]);
  const { service } = site.west.imgapi;
  receiver.answer((response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write('x'.repeat(100_000)), 1);
    response.on('close', () => clearInterval(drip));
  });
  await put(service, 'tickets');
  await waitFor('it to be taken', async () => (await stateOf(site)).last?.status === 200);
  t.equal((await stateOf(site)).queued, 0);
  receiver.answer(() => {});
  const id = await put(service, 'tickets');
  await waitFor('the deadline', async () => (await stateOf(site)).last?.id === id);
  t.match((await stateOf(site)).last, { status: undefined, error: /./ });
});

test('One that is down holds up neither another one nor a copy', async (t) => {
  const [down, up] = [await startReceiver(t), await startReceiver(t)];
  down.answer(() => {});
  const site = await two(t, [await hookTo(t, down, { name: 'down' }), await hookTo(t, up, { name: 'up' })]);
  const uuid = await site.order();
  await up.got(1);
  t.equal((await site.west.client({ account: ALICE }).getImage(uuid)).state, 'active');
  await down.got(1);
  await site.order();
  await up.got(2);
  t.equal(down.received.length, 1, 'it has not even answered the first');
});

test('After a day a message is given up, until an operator has it sent again', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer(statusOf(503));
  const site = await two(t, [await hookTo(t, receiver)]);
  const { service } = site.west.imgapi;
  const [hook] = service.config.webhooks;
  if (!hook) throw new Error('there is no webhook');
  const id = await put(service, 'tickets');
  const outcomes: string[] = [];
  await waitFor('it to be given up', async () => {
    const stored = await service.store.get(OUTBOX, id);
    if (stored?.value.state === 'given-up') return true;
    if (!stored) return false;
    const { value, etag } = stored;
    const now = service.store.now();
    const old = { ...value, since: now - 25 * HOUR, not_before: now, rev: value.rev + 1 };
    await service.store.batch([{ op: 'put', bucket: OUTBOX, key: id, value: old, ifEtag: etag }]).catch(() => {});
    await deliverTo(service, hook, (_, outcome) => outcomes.push(outcome), NONE);
    return false;
  });
  t.match(await stateOf(site), { queued: 0, given_up: 1 });
  receiver.answer(taken);
  await retryWebhook(service, 'tickets');
  await waitFor('it to be taken', async () => (await stateOf(site)).last?.status === 204);
  t.match(await stateOf(site), { queued: 0, given_up: 0 });
});

test('The day goes on when the service is back that was down for it, and a hundred tries are enough in any case', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer(statusOf(503));
  const site = await two(t, [await hookTo(t, receiver)]);
  const { service } = site.west.imgapi;
  // The server's own task has nothing to do with these.
  const hook = { name: 'other', url: receiver.url, secretFile: await writeSecret(t), events: [] };
  const since = service.store.now() - 25 * HOUR;
  const last = { time: new Date(since).toISOString(), id: await put(service, 'tickets') };
  const first = await service.store.get(OUTBOX, last.id);
  if (!first) throw new Error('it is not there');
  const write = (key: string, fields: Partial<typeof first.value>) =>
    service.store.batch([
      { op: 'put', bucket: OUTBOX, key, value: { ...first.value, hook: 'other', since, not_before: since, ...fields } },
    ]);
  await service.store.batch([{ op: 'put', bucket: ANSWERS, key: 'other', value: last }]);
  const [waited, later, tired] = ['a', 'b', 'c'].map((end) => last.id.replace(/.$/, end)) as [string, string, string];
  await write(waited, { tries: 20 });
  const stateOfMessage = async (key: string) => (await service.store.get(OUTBOX, key))?.value.state;
  await deliverTo(service, hook, () => {}, NONE);
  t.equal(await stateOfMessage(waited), 'queued');
  await write(later, { tries: 20 });
  await write(tired, { tries: 99 });
  await deliverTo(service, hook, () => {}, NONE);
  t.equal(await stateOfMessage(later), 'queued', 'also one that is sent when it has been back for a while');
  t.equal(await stateOfMessage(tired), 'given-up');
});

test('Messages that nobody will take any more go some day', async (t) => {
  const receiver = await startReceiver(t);
  await receiver.stop();
  const site = await two(t, [await hookTo(t, receiver)], { copies: { keepFinishedSeconds: 3600 } });
  const { service } = site.west.imgapi;
  const stays = await put(service, 'tickets');
  const old = async (hook: string, state: 'queued' | 'given-up'): Promise<string> => {
    const key = await put(service, 'tickets');
    const stored = await service.store.get(OUTBOX, key);
    if (!stored) throw new Error('it is not there');
    const since = service.store.now() - 2 * HOUR;
    const value = { ...stored.value, hook, state, since, not_before: since + 20 * HOUR, rev: 9 };
    await service.store.batch([{ op: 'put', bucket: OUTBOX, key, value }]);
    return key;
  };
  const waits = await old('tickets', 'queued');
  const goes = [await old('tickets', 'given-up'), await old('removed', 'queued')];
  // The task may be at it as well.
  t.ok((await expireMessages(service)) <= 2);
  for (const key of goes) t.equal(await service.store.get(OUTBOX, key), undefined);
  t.ok(await service.store.get(OUTBOX, stays));
  t.ok(await service.store.get(OUTBOX, waits), 'what is still to be sent is given up first');
});

test('A secret that cannot be used is told of without what it holds, and one that changes needs no restart', async (t) => {
  const receiver = await startReceiver(t);
  const secretFile = await writeSecret(t, 'short\n');
  const site = await two(t, [{ name: 'tickets', url: receiver.url, secretFile }]);
  const { service } = site.west.imgapi;
  await put(service, 'tickets');
  await waitFor('it to be tried', async () => (await stateOf(site)).last);
  t.match((await stateOf(site)).last?.error, /holds 5 bytes; a secret has 16 to 4096/);
  t.notMatch(JSON.stringify(await stateOf(site)), /short/);
  await writeFile(secretFile, SECRET);
  await retryWebhook(service, 'tickets');
  const [first] = await receiver.got(1);
  t.ok((await exampleOfPage())(SECRET, String(first?.headers['x-imgapi-signature']), first?.body ?? ''));
});
