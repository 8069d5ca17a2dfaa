import { type Test, test } from 'tap';
import type { CopyKind } from '#lib/api/schemas/copy.ts';
import { walkChain } from '#src/copies/orders/chain.ts';
import { incomingImage } from '#src/copies/orders/placeholder.ts';
import { SourceReader } from '#src/copies/orders/source-reader.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { type CopyPair, copyPair, ended, recordOf } from '../fixture.ts';

const MISSING = '11111111-2222-4333-8444-555555555555';

async function walk(pair: CopyPair, uuid: string, kind: CopyKind = 'copy-from-dc') {
  const { service } = pair;
  const source = (await recordedSource(service, pair.source.name))!;
  const reader = new SourceReader(source, ALICE, new AbortController().signal);
  const request = { kind, account: ALICE, source: source.name, policy: 'own' } as const;
  const chain = await walkChain(service, reader, request, incomingImage(service, await reader.get(uuid), request));
  return { uuids: chain.members.map((member) => member.uuid), base: chain.base };
}

/** Images at the source that build on each other, base first. */
async function chainOf(pair: CopyPair, length: number, fields: object = {}): Promise<string[]> {
  const uuids: string[] = [];
  for (let index = 0; index < length; index++) {
    const origin = uuids.at(-1);
    const { record } = await putImage(
      pair.source,
      ALICE,
      { ...fields, ...(origin ? { origin } : {}) },
      Buffer.from(`image ${index}`),
    );
    uuids.push(record.uuid);
  }
  return uuids;
}

async function isRefused(t: Test, walking: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await t.rejects(walking, { code, message });
}

test('all of the account that is missing comes, base first', async (t) => {
  const pair = await copyPair(t);
  const uuids = await chainOf(pair, 3);
  t.same(await walk(pair, uuids[2]!), { uuids, base: undefined });
});

test('the chain ends at the first origin that is usable here', async (t) => {
  const pair = await copyPair(t);
  const [base, middle, head] = await chainOf(pair, 3);
  await putImage(pair.dest, ALICE, { uuid: base! }, Buffer.from('image 0'));
  t.same(await walk(pair, head!), { uuids: [middle, head], base });
});

test('an origin may be disabled, at either end, and keeps that', async (t) => {
  const pair = await copyPair(t);
  const [base, head] = await chainOf(pair, 2);
  const disabled = { uuid: base!, state: 'disabled', disabled: true } as const;
  await putImage(pair.source, ALICE, disabled, Buffer.from('image 0'));
  pair.engine();
  t.match(await ended(pair.service, (await pair.copy(head!)).uuid), { state: 'succeeded' });
  t.match(await recordOf(pair.service, base!), { activated: true, disabled: true, state: 'disabled' });
  t.match(await recordOf(pair.service, head!), { activated: true, disabled: false, state: 'active', origin: base! });
});

test('an origin that is not activated at the source is refused', async (t) => {
  const pair = await copyPair(t);
  const [base, head] = await chainOf(pair, 2);
  await putImage(pair.source, ALICE, { uuid: base!, state: 'unactivated', activated: false });
  await isRefused(t, walk(pair, head!), 'OriginIsNotActive', new RegExp(base!));
});

test("somebody else's origin has to be here already", async (t) => {
  const pair = await copyPair(t);
  const { record: foreign } = await putImage(pair.source, BOB, {}, Buffer.from('foreign'));
  const { record: head } = await putImage(pair.source, ALICE, { origin: foreign.uuid });
  await isRefused(t, walk(pair, head.uuid), 'OriginDoesNotExist', new RegExp(foreign.uuid));
  await isRefused(t, walk(pair, head.uuid, 'import-from-datacenter'), 'ResourceNotFound', new RegExp(foreign.uuid));
  await putImage(
    pair.dest,
    BOB,
    { uuid: foreign.uuid, activated: false, state: 'unactivated' },
    Buffer.from('foreign'),
  );
  await isRefused(t, walk(pair, head.uuid), 'OriginDoesNotExist', new RegExp(foreign.uuid));
  await putImage(pair.dest, BOB, { uuid: foreign.uuid, public: true }, Buffer.from('foreign'));
  t.same(await walk(pair, head.uuid), { uuids: [head.uuid], base: foreign.uuid });
});

test('an origin that is here with another file is no origin', async (t) => {
  const pair = await copyPair(t);
  const [base, head] = await chainOf(pair, 2);
  await putImage(pair.dest, ALICE, { uuid: base! }, Buffer.from('something else'));
  await isRefused(t, walk(pair, head!), 'OriginMismatch', /has sha1 .* here but/);
});

test('a chain that turns back on itself is refused', async (t) => {
  const pair = await copyPair(t);
  const [base, head] = await chainOf(pair, 2);
  await putImage(pair.source, ALICE, { uuid: base!, origin: head! });
  await isRefused(t, walk(pair, head!), 'OriginChainTooLong', /form a cycle/);
});

test('an image whose origin here already builds on it is not brought', async (t) => {
  const pair = await copyPair(t);
  const [base, head] = await chainOf(pair, 2);
  await putImage(pair.dest, ALICE, { uuid: base!, origin: head! }, Buffer.from('image 0'));
  await isRefused(t, pair.copy(head!), 'OriginChainTooLong', /form a cycle/);
  t.equal(await recordOf(pair.service, head!), undefined);
});

test('a chain of a hundred images is carried, one more is refused', async (t) => {
  const pair = await copyPair(t, {}, { source: { keys: { links: { requestsPerSecond: 10_000 } } } });
  const uuids = await chainOf(pair, 101);
  t.equal((await walk(pair, uuids[99]!)).uuids.length, 100);
  await isRefused(t, walk(pair, uuids[100]!), 'OriginChainTooLong', /more than 99 origins/);
});

test('an origin that is nowhere is named', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, { origin: MISSING });
  await isRefused(t, walk(pair, record.uuid), 'OriginDoesNotExist', new RegExp(MISSING));
});
