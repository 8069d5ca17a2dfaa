/** What a source may say of an image, at first and later on, and what of it is believed. */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { accept, aclView, addEntries, isGranted, leave, leftEntries } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { incomingImage } from '#src/copies/orders/placeholder.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { deleteImage } from '#src/images/delete.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { putImage, setConfig } from '../../helpers/datacenter.ts';
import { type Manifest, startSimpleSource } from '../../helpers/simple-source.ts';
import { type CopyPair, copyPair, ended, recordOf } from './fixture.ts';

const SIGNAL = new AbortController().signal;
const MANY = Array.from({ length: 1001 }, () => randomUUID());

const OLD = 'us-old-1';

/** A copy whose source says something else once it was ordered; answers the record that came of it. */
async function changedMeanwhile(
  t: Test,
  fields: Manifest,
  change: (manifest: Manifest) => Manifest,
): Promise<{ readonly pair: CopyPair; readonly here: ImageRecord }> {
  const source = await startSimpleSource(t);
  const pair = await copyPair(t, {}, { dest: { keys: { imgapiUrlFromDatacenter: { [OLD]: source.url } } } });
  const image = source.add(50_000, { description: 'old', ...fields });
  const { uuid } = await pair.copy(image.uuid, { from: OLD });
  image.manifest = { ...image.manifest, ...change(image.manifest) };
  const worker = pair.engine();
  const order = await ended(pair.service, uuid);
  await worker.stop();
  if (order.state !== 'succeeded') throw new Error(`the copy ${order.state}: ${order.error?.message}`);
  return { pair, here: (await recordOf(pair.service, image.uuid))! };
}

test('a copy over a link is deprecated as at its source, whose account decides which replacement may be told', async (t) => {
  const pair = await copyPair(t);
  const { service } = pair.source;
  const { record: shown } = await putImage(pair.source, ALICE);
  const { record: hidden } = await putImage(pair.source, CAROL);
  for (const [replacement, told] of [
    [shown.uuid, shown.uuid],
    [hidden.uuid, undefined],
  ] as const) {
    const deprecation = { deprecated_at: '2020-01-31T00:00:00Z', replaced_by: replacement };
    const { record: image } = await putImage(pair.source, ALICE, deprecation);
    const { uuid } = await pair.copy(image.uuid);
    const worker = pair.engine();
    t.match(await ended(pair.service, uuid), { state: 'succeeded' });
    await worker.stop();
    const here = await recordOf(pair.service, image.uuid);
    t.same([here?.deprecated_at, here?.replaced_by], ['2020-01-31T00:00:00Z', told]);
    await changeRecord(service, image.uuid, ({ deprecated_at: _, replaced_by: __, ...rest }) => rest);
    await pair.copy(image.uuid);
    t.notOk((await recordOf(pair.service, image.uuid))?.deprecated_at, 'a recopy refreshes it');
  }
});

test('what was ordered stays what it is, whatever the source says afterwards', async (t) => {
  const { pair, here } = await changedMeanwhile(t, {}, ({ uuid, files }) => ({
    origin: uuid,
    type: 'lx-dataset',
    os: 'linux',
    urn: 'a:b:c:d',
    state: 'disabled',
    disabled: true,
    published_at: '2030-01-01T00:00:00.000Z',
    description: 'new',
    files: (files as object[]).map((file) => ({ ...file, compression: 'gzip', size: 7, dataset_guid: '12345' })),
  }));
  t.match(here, {
    type: 'zone-dataset',
    state: 'active',
    disabled: false,
    published_at: '2020-01-02T03:04:05.006Z',
    files: [{ size: 50_000, compression: 'none' }],
  });
  t.match(here, { os: 'linux', description: 'new' }, 'what may change did');
  t.notOk(here.origin ?? here.urn ?? here.files?.[0]?.dataset_guid);
  await deleteImage(pair.service, {
    uuid: here.uuid,
    viewer: { account: undefined },
    deletePlaceholder: () => Promise.reject(new Error('it is none')),
  });
  t.equal(await recordOf(pair.service, here.uuid), undefined);
});

test('the marks of the operators are what they are when the copy becomes usable', async (t) => {
  const { here } = await changedMeanwhile(t, { billing_tags: ['licensed'] }, () => ({
    billing_tags: ['licensed', 'late'],
    traits: { ssd: true },
  }));
  t.match(here, { billing_tags: ['licensed', 'late'], traits: { ssd: true } });
});

for (const [what, fields] of [
  ['more entries than a list may have', { acl: MANY }],
  ['a name that is none', { name: '<script>' }],
  ['a description that is too long', { description: 'x'.repeat(20_000) }],
  ['two files', { files: [] }],
] as const) {
  test(`a manifest that is read again with ${what} is none: the one that was ordered counts`, async (t) => {
    const { here } = await changedMeanwhile(t, { acl: [BOB] }, ({ files }) => ({
      eula: 'http://new.example',
      ...('files' in fields ? { files: [...(files as object[]), ...(files as object[])] } : fields),
    }));
    t.match(here, { activated: true, name: 'old-image', description: 'old', acl: [BOB] });
    t.equal(here.eula, undefined);
  });
}

test('the limits of uploads and of lists hold for copies and imports', async (t) => {
  const pair = await copyPair(t);
  const { service } = pair;
  const { record: shared } = await putImage(pair.source, ALICE, { acl: MANY });
  const { record: large } = await putImage(pair.source, ALICE);
  setConfig(pair.dest, 'limits', { fileBytes: 49_999 });
  const source = (await recordedSource(service, pair.source.name))!;
  for (const [uuid, field, message] of [
    [large.uuid, 'files', /50000 bytes; at most 49999 /],
    [shared.uuid, 'files', /50000 bytes/],
    [shared.uuid, 'acl', /at most 1000 entries/],
  ] as const) {
    if (field === 'acl') setConfig(pair.dest, 'limits', { fileBytes: 50_000 });
    const refused = { code: 'ValidationFailed', errors: [{ field, message }] };
    await t.rejects(pair.copy(uuid), refused, `copy, ${field}`);
    const image = await source.getImage(uuid, ALICE, SIGNAL);
    t.throws(() => incomingImage(service, image, { source: 'x', policy: 'all' }), refused, `import, ${field}`);
    t.equal(await recordOf(service, uuid), undefined);
  }
  t.match(await pair.copy(large.uuid), { state: 'queued' }, 'what just fits is taken');
});

test('a recopy brings no more entries than a list may have', async (t) => {
  const pair = await copyPair(t);
  const { record, bytes } = await putImage(pair.source, ALICE);
  await putImage(pair.dest, ALICE, { ...record, acl: [BOB] }, bytes);
  await putImage(pair.source, ALICE, { ...record, acl: MANY }, bytes);
  await t.rejects(pair.copy(record.uuid), { code: 'ValidationFailed', errors: [{ field: 'acl' }] });
  t.same((await recordOf(pair.service, record.uuid))?.acl, [BOB]);
});

test('another order of the same list is no change, and nothing is written', async (t) => {
  const pair = await copyPair(t);
  const carol = { entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' };
  const { record, bytes } = await putImage(pair.source, ALICE, {
    acl: [BOB, ALICE],
    shares: [{ entry: BOB }, carol, { entry: ALICE }],
    grants: [CAROL],
  });
  await putImage(
    pair.dest,
    ALICE,
    { ...record, acl: [ALICE, BOB], shares: [carol, { entry: ALICE }, { entry: BOB }] },
    bytes,
  );
  const before = await recordOf(pair.service, record.uuid);
  const order = await pair.copy(record.uuid);
  t.match(order, { state: 'succeeded', live: false, changes: [] });
  t.same(order.changes, []);
  t.same(await recordOf(pair.service, record.uuid), before);
  const [source] = [(await recordedSource(pair.service, pair.source.name))!];
  const again = { uuid: record.uuid, account: ALICE, source, dryRun: false, doNotRestart: true };
  t.equal((await copyFromDatacenter(pair.service, again, SIGNAL)).uuid, order.uuid, 'the order is there all the same');
});

test('another order of UUIDs alone is no change either; one more entry is', async (t) => {
  const pair = await copyPair(t);
  const { record, bytes } = await putImage(pair.source, ALICE, { acl: [BOB, CAROL] });
  await putImage(pair.dest, ALICE, { ...record, acl: [CAROL, BOB] }, bytes);
  t.same((await pair.copy(record.uuid)).changes, []);
  await changeRecord(pair.source.service, record.uuid, (there) => ({ ...there, acl: [BOB, ALICE, CAROL] }));
  t.same((await pair.copy(record.uuid)).changes, [{ field: 'acl', from: [CAROL, BOB], to: [BOB, ALICE, CAROL] }]);
});

test('a recopy brings the marks of the operators, and is no way to shed them', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { record } = await putImage(pair.source, ALICE, { billing_tags: ['a'], traits: { x: '1' } });
  await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  const there = (fields: Partial<ImageRecord>) =>
    changeRecord(pair.source.service, record.uuid, ({ billing_tags: _, traits: __, ...rest }) => ({
      ...rest,
      ...fields,
    }));
  await there({ billing_tags: ['b'], traits: { x: '2' } });
  t.same((await pair.copy(record.uuid)).changes, [
    { field: 'billing_tags', from: ['a'], to: ['b'] },
    { field: 'traits', from: { x: '1' }, to: { x: '2' } },
  ]);
  await changeRecord(pair.service, record.uuid, (here) => ({ ...here, billing_tags: ['b', 'own'] }));
  await there({});
  t.match(await pair.copy(record.uuid), { changes: [{ to: ['own'] }, { to: undefined }] });
  t.match(await recordOf(pair.service, record.uuid), { billing_tags: ['own'] });
});

test('who left at the source is let in nowhere, and the owner is told everywhere', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { record } = await putImage(pair.source, ALICE, {
    acl: [BOB],
    shares: [{ entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' }, { entry: BOB }],
    grants: [CAROL],
  });
  await changeRecord(pair.source.service, record.uuid, (there) => leave(leave(there, CAROL), BOB));
  await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  const view = async () => {
    const here = (await recordOf(pair.service, record.uuid))!;
    return {
      entries: aclView(here, 3),
      left: leftEntries(here),
      granted: [BOB, CAROL].filter((who) => isGranted(here, who)),
    };
  };
  t.same(await view(), { entries: ['carol'], left: ['carol', BOB], granted: [] });
  t.same((await pair.copy(record.uuid)).changes, []);
  const again = { entry: 'carol', account: CAROL, shared_at: '2026-02-01T00:00:00.000Z' };
  await changeRecord(pair.source.service, record.uuid, (there) => addEntries(there, [again, { entry: BOB }]));
  t.match(await pair.copy(record.uuid), { changes: [{ field: 'acl' }] });
  t.same(await view(), { entries: ['carol', BOB], left: [], granted: [BOB, CAROL] }, 'until it is shared again');
});

test('who left a copy stays out of it when it is copied again', async (t) => {
  const pair = await copyPair(t);
  pair.engine();
  const { record } = await putImage(pair.source, ALICE, {
    shares: [{ entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' }],
    grants: [CAROL],
  });
  await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  await changeRecord(pair.service, record.uuid, (here) => leave(here, CAROL));
  await changeRecord(pair.source.service, record.uuid, (there) => ({ ...there, description: 'new' }));
  t.match(await pair.copy(record.uuid), { changes: [{ field: 'description' }] });
  const here = (await recordOf(pair.service, record.uuid))!;
  t.notOk(isGranted(here, CAROL));
  t.same(leftEntries(here), ['carol']);
});

test('what was accepted there is not accepted here, and what was accepted here stays so', async (t) => {
  const pair = await copyPair(t);
  const { record: image } = await putImage(pair.source, ALICE, { acl: [BOB], accepted: [BOB] });
  const { uuid } = await pair.copy(image.uuid);
  const worker = pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
  await worker.stop();
  const here = await recordOf(pair.service, image.uuid);
  t.same([here?.acl, here?.accepted], [[BOB], undefined]);
  await changeRecord(pair.service, image.uuid, (record) => accept(record, BOB));
  await changeRecord(pair.source.service, image.uuid, ({ accepted: _, ...rest }) => ({ ...rest, description: 'new' }));
  await pair.copy(image.uuid);
  t.match(await recordOf(pair.service, image.uuid), { description: 'new', accepted: [BOB] });
});
