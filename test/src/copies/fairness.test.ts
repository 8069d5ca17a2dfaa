/** However many copies one account orders, and however badly its sources behave, others get theirs. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Test, test } from 'tap';
import type { Store, Write } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { type CopyOrder, putOrder, putTransfer, TRANSFERS, type Transfer } from '#src/copies/documents/model.ts';
import { runTransfer } from '#src/copies/transfer/transfer.ts';
import { MOST_ACCOUNTS, type Room, Turns } from '#src/copies/transfer/turns.ts';
import { putRecord } from '#src/images/record/record-write.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { startSimpleSource } from '../../helpers/simple-source.ts';
import { waitFor } from '../../helpers/wait.ts';
import { type CopyPair, claimed, copyPair, ended, otherProcess, transferOf } from './fixture.ts';

const MANY = 1001;
const LARGE = 1_000_000;
const DEAD = 'us-dead-1';
const NOWHERE = { [DEAD]: 'http://127.0.0.1:9' };

function lowUuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** What an order of one image writes, without its source being asked. */
function orderWrites(account: string, source: string, image: string, now = Date.now()): Write[] {
  const created_at = new Date(now).toISOString();
  const sha1 = 'a'.repeat(40);
  const member = { uuid: image, name: 'image', version: '1', sha1, size: 1000 };
  const order: CopyOrder = {
    ...{ uuid: image, kind: 'copy-from-dc', account, image, source, state: 'queued', live: true },
    ...{ members: [member], images: [image], created_at, rev: 0 },
  };
  const transfer: Transfer = {
    ...{ image, id: 'abcd', source, account, state: 'queued', live: true, orders: [image], stor: 'local', sha1 },
    ...{ compression: 'none', icon: false, total: 1000, bytes: 0, attempt: 0, created_at, rev: 0 },
    retry: { count: 0, not_before: now, last_byte_at: now, bad_hashes: 0, peak: 0 },
  };
  const record: ImageRecord = {
    ...{ v: 2, uuid: image, owner: account, name: 'image', version: '1', type: 'zone-dataset', os: 'smartos' },
    ...{ state: 'creating', activated: false, disabled: false, public: false },
    copy: { state: 'live', datacenter: source, sha1, size: 1000 },
  };
  return [putOrder(order, null), putTransfer(transfer, null), putRecord(record, null)];
}

async function orderMany(service: Service, account: string, source: string): Promise<void> {
  for (let from = 0; from < MANY; from += 100) {
    const some = Array.from({ length: Math.min(100, MANY - from) }, (_, i) => lowUuid(from + i));
    await service.store.batch(some.flatMap((image) => orderWrites(account, source, image)));
  }
}

/** A process whose queries are watched: none may answer more than it needs. */
function watched(service: Service, most: number[]): Service {
  const find: Store['find'] = async (bucket, query) => {
    const found = await service.store.find(bucket, query);
    most.push(found.length);
    return found;
  };
  const store = new Proxy(service.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'find') return find;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...otherProcess(service, randomUUID()), store };
}

async function bobs(pair: CopyPair, account = BOB): Promise<string> {
  const { record } = await putImage(pair.source, account);
  return (await pair.copy(record.uuid, { account })).uuid;
}

test('a thousand failing copies of one account hold up nobody, not even its others', async (t) => {
  const pair = await copyPair(
    t,
    { concurrency: 2, perAccount: 1, retryDelay: { min: 0.02, max: 0.05 } },
    { dest: { keys: { imgapiUrlFromDatacenter: NOWHERE } } },
  );
  const { service } = pair;
  // A process brought its bytes, and died before it could settle the order.
  const { record: left } = await putImage(pair.source, CAROL);
  const order = await pair.copy(left.uuid, { account: CAROL });
  await runTransfer(service, await claimed(service, left.uuid), new AbortController().signal);
  pair.dest.clock.ahead = 1000;
  await orderMany(service, ALICE, DEAD);
  const most: number[] = [];
  const worker = pair.engine(watched(service, most));
  await waitFor('failures', async () => (await transferOf(service, lowUuid(7)))?.error);
  for (const [who, uuid] of [
    ['bob', await bobs(pair)],
    ['alice, from another source', await bobs(pair, ALICE)],
    ['carol', order.uuid],
    ['bob once more', await bobs(pair)],
  ] as const) {
    t.match(await ended(service, uuid), { state: 'succeeded' }, who);
  }
  await worker.stop();
  t.ok(Math.max(...most) <= 50, 'and no look reads more than a page');
  t.equal((await transferOf(service, lowUuid(MANY - 1)))?.live, true);
});

/** Sends a byte every now and then; with `cutAfter` it breaks the connection after so many. */
function drip(t: Test, cutAfter = Number.POSITIVE_INFINITY) {
  return ({ headers }: IncomingMessage, response: ServerResponse): void => {
    const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': LARGE - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${LARGE - 1}/${LARGE}` }),
    });
    let sent = 0;
    const timer = setInterval(() => {
      response.write('x');
      sent += 1;
      if (sent >= cutAfter) response.destroy();
    }, 30);
    const stop = () => clearInterval(timer);
    response.on('close', stop);
    t.teardown(stop);
  };
}

test('two sources that drip a byte now and then do not keep the places', async (t) => {
  const sources = await Promise.all([startSimpleSource(t), startSimpleSource(t), startSimpleSource(t)]);
  const [one, two, cutting] = sources;
  const names = { 'us-drip-1': one.url, 'us-drip-2': two.url, 'us-drip-3': cutting.url };
  const pair = await copyPair(
    t,
    { concurrency: 2, perLink: 2, perAccount: 2, leastRate: 10_000, leastRateSeconds: 0.4, stallSeconds: 10 },
    { dest: { keys: { imgapiUrlFromDatacenter: names } } },
  );
  const dripping: string[] = [];
  for (const [i, name] of Object.keys(names).entries()) {
    const image = sources[i]!.add(LARGE);
    image.answerFile = drip(t, name === 'us-drip-3' ? 3 : undefined);
    await pair.copy(image.uuid, { from: name });
    dripping.push(image.uuid);
  }
  const worker = pair.engine();
  await waitFor('both places to be taken', async () => {
    return (await pair.service.store.count(TRANSFERS, { op: 'eq', field: 'state', value: 'running' })) === 2;
  });
  t.match(await ended(pair.service, await bobs(pair)), { state: 'succeeded' });
  t.match(await ended(pair.service, await bobs(pair, ALICE)), { state: 'succeeded' }, 'also of the same account');
  for (const uuid of dripping) {
    const transfer = await waitFor('it to be put back twice', async () => {
      const current = await transferOf(pair.service, uuid);
      return (current?.retry.slow?.count ?? 0) >= 2 && current;
    });
    t.match(transfer, { error: { code: 'TooSlow', message: /bytes came in/ }, live: true });
  }
  await worker.stop();
});

test('what our own limit slows down keeps its place, and a source that gets better is forgiven', async (t) => {
  const pair = await copyPair(t, {
    bandwidth: { 'us-east-1': 1000 },
    leastRate: 10_000_000,
    leastRateSeconds: 0.2,
    heartbeatSeconds: 0.05,
  });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(3000));
  const { uuid } = await pair.copy(record.uuid);
  const before = (await transferOf(pair.service, record.uuid))!;
  await pair.service.store.batch([
    putTransfer(
      {
        ...before,
        ...{ retry: { ...before.retry, slow: { count: 3, since: 0 } }, error: { code: 'TooSlow', message: 'slow' } },
      },
      (await pair.service.store.get(TRANSFERS, record.uuid))!.etag,
    ),
  ]);
  pair.engine();
  const forgiven = await waitFor('it to be forgiven', async () => {
    const transfer = await transferOf(pair.service, record.uuid);
    return transfer?.retry.slow === undefined && transfer;
  });
  t.equal(forgiven.error, undefined);
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
});

test('the places of an account are limited over all processes', async (t) => {
  const pair = await copyPair(t, { concurrency: 4, perLink: 10, perAccount: 2 });
  const uuids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { record } = await putImage(pair.source, ALICE, {}, randomBytes(200_000));
    await pair.copy(record.uuid);
    uuids.push(record.uuid);
  }
  pair.network.trouble = { kind: 'stall', after: 100_000 };
  for (const name of ['a', 'b', 'c']) pair.engine(otherProcess(pair.service, name));
  const begun = async () => {
    const found = await Promise.all(uuids.map((uuid) => transferOf(pair.service, uuid)));
    return found.filter((transfer) => (transfer?.bytes ?? 0) > 0).length;
  };
  await waitFor('two with bytes', async () => (await begun()) === 2);
  t.equal(await begun(), 2);
});

test('accounts take turns, and within an account its sources do', async (t) => {
  const { service } = await copyPair(t);
  const waiting: readonly [string, string][] = [
    ...Array.from({ length: 4 }, (): [string, string] => [ALICE, 'east']),
    ...([
      [BOB, 'east'],
      [BOB, 'east'],
      [BOB, 'north'],
      [CAROL, 'south'],
    ] as [string, string][]),
  ];
  const writes = waiting.flatMap(([account, source], i) => orderWrites(account, source, lowUuid(i), 1000));
  await service.store.batch(writes);
  const taken: string[] = [];
  const room: Room = { isFull: () => false, takes: () => true };
  await new Turns(service).give(room, async ({ key, value, etag }) => {
    taken.push(`${value.account} ${value.source}`);
    await service.store.batch([putTransfer({ ...value, state: 'received' }, etag)]);
    return key !== '';
  });
  t.equal(taken.length, waiting.length);
  const of = (account: string) => taken.flatMap((turn, i) => (turn.startsWith(account) ? [i] : []));
  t.same(new Set(taken.slice(0, 3).map((turn) => turn.split(' ')[0])), new Set([ALICE, BOB, CAROL]), 'each has one');
  t.ok(of(BOB)[2]! < of(ALICE)[3]!, 'and nobody a fourth before another has a third');
  t.same(
    new Set(
      of(BOB)
        .slice(0, 2)
        .map((i) => taken[i]),
    ),
    new Set([`${BOB} east`, `${BOB} north`]),
    'from one source after the other',
  );
});

test('a look takes some accounts, and the next one goes on behind them', async (t) => {
  const { service } = await copyPair(t);
  const count = MOST_ACCOUNTS + 20;
  const writes = Array.from({ length: count }, (_, i) => orderWrites(lowUuid(i), 'east', lowUuid(i), 1000)).flat();
  await service.store.batch(writes);
  const turns = new Turns(service);
  const asked = new Set<string>();
  const none = async ({ key }: { key: string }) => {
    asked.add(key);
    return false;
  };
  const room: Room = { isFull: () => false, takes: () => true };
  t.equal(await turns.give(room, none), true, 'there is more');
  t.equal(asked.size, MOST_ACCOUNTS);
  await turns.give(room, none);
  t.equal(asked.size, count);
});

test('a live transfer that an earlier version wrote gets its turn', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  const { lane: _, ready_at: __, ...older } = (await transferOf(pair.service, record.uuid))!;
  await pair.service.store.batch([{ op: 'put', bucket: TRANSFERS, key: record.uuid, value: older }]);
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
});
