/** The pull link at the source goes when the transfer that it was for has ended, however it ended. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { PULL_ENDS, TRANSFERS } from '#src/copies/documents/model.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { tellPullEnds } from '#src/copies/orders/pull-ends.ts';
import type { CopyWorker } from '#src/copies/transfer/worker.ts';
import { changeLink } from '#src/datacenters/links/links.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { type CopyPair, copyPair, ended, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;
const { signal } = new AbortController();

/** Names below `pulls/` at the source. */
async function heldAt(local: ObjectStore): Promise<string[]> {
  const days = await local.list('pulls');
  const names = await Promise.all(days.map(({ name }) => local.list(`pulls/${name}`)));
  return names.flat().map(({ name }) => name);
}

const held = ({ source }: CopyPair) => heldAt(source.service.storages.named('local'));
const untold = ({ service }: CopyPair) => service.store.count(PULL_ENDS);

/** Begun, with the pull link made and bytes on the way, and standing still. */
async function halfCopied(pair: CopyPair): Promise<{ order: string; image: string; worker: CopyWorker }> {
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  pair.network.trouble = { kind: 'stall', after: 2 * MIB };
  const worker = pair.engine();
  const { uuid: order } = await pair.copy(record.uuid);
  await waitFor('some bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 0);
  return { order, image: record.uuid, worker };
}

test('once an image is copied, deleting it at the source frees its bytes', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  pair.engine();
  t.match(await ended(pair.service, (await pair.copy(record.uuid)).uuid), {
    state: 'succeeded',
    members: [{ result: { via: 'pull-url' } }],
  });
  t.equal((await held(pair)).length, 1, 'until the source is told');
  t.equal(await tellPullEnds(pair.service), 1);
  t.strictSame([await held(pair), await untold(pair)], [[], 0]);
  t.equal(await pair.source.service.store.count(PULL_LINKS), 1, 'that it was there is remembered');
  t.equal(await tellPullEnds(pair.service), 0);
});

test('a copy that is canceled ends its pull link', async (t) => {
  const pair = await copyPair(t, { stallSeconds: 60 });
  const { order, image } = await halfCopied(pair);
  t.type((await transferOf(pair.service, image))?.pull, 'string', 'the link is on record as soon as it is made');
  await endOrder(pair.service, order, { event: 'cancel' });
  pair.network.trouble = { kind: 'none' };
  await tellPullEnds(pair.service);
  t.strictSame([await held(pair), await untold(pair)], [[], 0]);
});

test('a copy that fails ends its pull link, and another try makes a new one', async (t) => {
  const pair = await copyPair(t, { stallSeconds: 60 });
  const { order, image, worker } = await halfCopied(pair);
  const failure = { code: 'GaveUp', message: 'enough' } as const;
  await endOrder(pair.service, order, { event: 'fail', failure, image });
  const failed = (await pair.service.store.get(TRANSFERS, image))?.value;
  t.match(failed, { state: 'failed' });
  t.equal(failed?.pull, undefined);
  // Whoever is cut off while it makes another link leaves that one to the calendar of the source.
  await worker.stop();
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  pair.engine();
  const again = await pair.copy(image);
  await tellPullEnds(pair.service);
  t.match(await ended(pair.service, again.uuid), { state: 'succeeded' });
  await tellPullEnds(pair.service);
  t.strictSame([await held(pair), await untold(pair)], [[], 0]);
});

test('a source that cannot be reached is told later, and not for ever', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  pair.engine();
  await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  await changeLink(pair.service, pair.source.name, (link) => ({ ...link, url: 'http://127.0.0.1:1' }));
  t.equal(await tellPullEnds(pair.service), 0);
  const [waiting] = await pair.service.store.find(PULL_ENDS, {});
  t.match(waiting?.value, { tries: 1 });
  t.ok((waiting?.value.not_before ?? 0) > pair.service.store.now(), 'after a pause');

  const due = { ...waiting!.value, not_before: 0 };
  const put = (value: object) =>
    pair.service.store.batch([{ op: 'put', bucket: PULL_ENDS, key: waiting!.key, value: { ...due, ...value } }]);
  await put({});
  await changeLink(pair.service, pair.source.name, (link) => ({ ...link, url: pair.network.url }));
  t.equal(await tellPullEnds(pair.service), 1);
  t.strictSame(await held(pair), []);

  await changeLink(pair.service, pair.source.name, (link) => ({ ...link, url: 'http://127.0.0.1:1' }));
  await put({ since: pair.service.store.now() - 5 * 24 * 60 * 60_000 });
  t.equal(await tellPullEnds(pair.service), 0);
  t.equal(await untold(pair), 0, 'its calendar took the link meanwhile');
});

test('a source that is not linked any more, or does not know how to end a link, is done with', async (t) => {
  const pair = await copyPair(t);
  const older = createServer((request, response) => {
    request.resume();
    response.statusCode = 404;
    response.end('{"code":"ResourceNotFound","message":"/link/pulls does not exist"}');
  });
  await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => older.close(resolve)));
  const url = `http://127.0.0.1:${(older.address() as AddressInfo).port}`;
  await changeLink(pair.service, pair.source.name, (link) => ({ ...link, url }));
  const now = pair.service.store.now();
  for (const source of [pair.source.name, 'eu-ams-1']) {
    const value = { source, reqid: '00000000-0000-4000-8000-000000000000', tries: 0, not_before: now, since: now };
    await pair.service.store.batch([{ op: 'put', bucket: PULL_ENDS, key: source, value }]);
  }
  t.equal(await tellPullEnds(pair.service), 2);
  t.equal(await untold(pair), 0);
});

test('a pull link whose URL is not taken is given back at once', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  Object.assign(pair.source.service.config.pulls, { publicUrl: 'http://elsewhere.example.com' });
  const source = linkSource(pair.service, pair.source.name);
  t.equal(await source.createPullUrl(record.uuid, ALICE, undefined, signal), undefined);
  t.strictSame(await held(pair), []);
});
