/**
 * Copies follow origins: to images that are here, to those that are on their way, and by an operator's import to other
 * people's. What the account that a copy is for may not see here is to it as if it were not here.
 */
import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { COPIES } from '#src/copies/documents/model.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { listOrders } from '#src/copies/orders/find-orders.ts';
import { importFromDatacenter } from '#src/copies/orders/place-order.ts';
import { planCopy } from '#src/copies/orders/plan.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';
import { waitFor } from '../../helpers/wait.ts';
import { type CopyPair, copyPair, ended, recordOf } from './fixture.ts';

const SIGNAL = new AbortController().signal;
const BYTES = Buffer.from('bytes of the origin');
const OTHER_BYTES = Buffer.from('other bytes');
const SECRETS = { name: 'secret-name', version: '7.7.7', description: 'secret-text' };

/** What the image that bob's copy builds on is to him, here. */
const RELATIONS: Readonly<
  Record<string, { fields: Partial<ImageRecord>; above?: Partial<ImageRecord>; sees: boolean }>
> = {
  "somebody else's": { fields: {}, sees: false },
  "somebody else's, shared with others": { fields: { acl: [CAROL] }, sees: false },
  "somebody else's, shared with him but not activated": {
    fields: { acl: [BOB], activated: false, state: 'unactivated' },
    sees: false,
  },
  "somebody else's, below what others share with him": { fields: {}, above: { owner: CAROL, acl: [BOB] }, sees: false },
  'shared with him': { fields: { acl: [BOB] }, sees: true },
  'shared with him by login': {
    fields: { grants: [BOB], shares: [{ entry: 'bob', account: BOB, shared_at: '2026-01-01T00:00:00.000Z' }] },
    sees: true,
  },
  'for everybody': { fields: { public: true }, sees: true },
  'below what its owner shares with him': { fields: {}, above: { acl: [BOB] }, sees: true },
  'his own': { fields: { owner: BOB }, sees: true },
};

/** The ways to ask for bob's image, and what becomes of it. */
const WAYS: Readonly<Record<string, (pair: CopyPair, uuid: string) => Promise<unknown>>> = {
  plan: async (pair, uuid) => planCopy(pair.service, { uuid, account: BOB, source: await sourceOf(pair) }, SIGNAL),
  'copy-from-dc': (pair, uuid) => pair.copy(uuid, { account: BOB }),
  'import-from-datacenter': async (pair, uuid) =>
    importFromDatacenter(pair.service, { uuid, account: BOB, source: await sourceOf(pair) }, SIGNAL),
};

async function sourceOf(pair: CopyPair) {
  return (await recordedSource(pair.service, pair.source.name))!;
}

/** Bob's image at the source, built on one that only the destination has. */
async function builtOn(pair: CopyPair, origin: string): Promise<string> {
  return (await putImage(pair.source, BOB, { origin })).record.uuid;
}

async function answerTo(
  asked: Promise<unknown>,
): Promise<{ answer?: unknown; error?: { code: string; text: string } }> {
  try {
    return { answer: await asked };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { error: { code, text: message } };
  }
}

test('an origin that is here is one to those who may see it, and absent to the others', async (t) => {
  const pair = await copyPair(t);
  for (const [what, { fields, above, sees }] of Object.entries(RELATIONS)) {
    const { record: origin } = await putImage(pair.dest, ALICE, { ...SECRETS, ...fields }, BYTES);
    if (above) await putImage(pair.dest, ALICE, { origin: origin.uuid, ...above });
    for (const [way, ask] of Object.entries(WAYS)) {
      const { answer, error } = await answerTo(ask(pair, await builtOn(pair, origin.uuid)));
      if (sees) {
        t.equal(error, undefined, `${way} on one that is ${what}`);
        if (way === 'plan') t.match(answer, { images: [{ uuid: origin.uuid, name: SECRETS.name, here: true }, {}] });
        continue;
      }
      const absent = randomUUID();
      const nowhere = await answerTo(ask(pair, await builtOn(pair, absent)));
      t.ok(error, `${way} on one that is ${what}`);
      t.same(
        { ...error, text: error?.text.replaceAll(origin.uuid, absent) },
        nowhere.error,
        `${way} on one that is ${what} is answered like one that is absent`,
      );
      t.notMatch(error?.text, /secret|7\.7\.7|[0-9a-f]{40}/);
    }
  }
  t.same(
    (await listOrders(pair.service, { limit: 100 })).filter(({ members }) => members.length > 1),
    [],
    'nobody else’s image is a member of an order',
  );
});

test('hashes of an origin that is another one here are told only to those who may see it', async (t) => {
  const pair = await copyPair(t);
  for (const [fields, code] of [
    [{ public: true }, 'OriginMismatch'],
    [{ acl: [BOB] }, 'OriginMismatch'],
    [{}, 'ImageUuidAlreadyExists'],
  ] as const) {
    // His own at the source, under the UUID of somebody else's here.
    const { record: origin, sha1 } = await putImage(pair.dest, ALICE, { ...SECRETS, ...fields }, BYTES);
    await putImage(pair.source, BOB, { uuid: origin.uuid }, OTHER_BYTES);
    for (const [way, ask] of Object.entries(WAYS)) {
      const { error } = await answerTo(ask(pair, await builtOn(pair, origin.uuid)));
      t.equal(error?.code, code, way);
      t.equal(error?.text.includes(sha1), code === 'OriginMismatch', way);
    }
  }
});

test('what is copied on an image that is unshared later brings it to nobody', async (t) => {
  const pair = await copyPair(t);
  const { record: origin } = await putImage(pair.dest, ALICE, { acl: [BOB] }, BYTES);
  const uuid = await builtOn(pair, origin.uuid);
  const order = await pair.copy(uuid, { account: BOB });
  await putImage(pair.dest, ALICE, { uuid: origin.uuid }, BYTES);
  pair.engine();
  t.match(await ended(pair.service, order.uuid), { state: 'succeeded', images: [uuid] });
  t.match(await recordOf(pair.service, uuid), { owner: BOB, origin: origin.uuid, activated: true });
});

interface Mixed {
  readonly here: Awaited<ReturnType<typeof startInProcess>>;
  readonly bobs: string;
  /** Alice's, below and above bob's. */
  readonly alices: readonly [below: string, above: string];
  call(path: string, init?: RequestInit): Promise<{ status: number; text: string; body: Record<string, unknown> }>;
}

/** An operator's import of alice's image, with bob's that it builds on, and alice's that bob's builds on; under way. */
async function mixedImport(t: Test): Promise<Mixed> {
  const there = await startInProcess(t, { datacenterName: 'east' });
  // Manifests pass, and of no file all of it.
  const network = await startTcpProxy(Number(new URL(there.url).port));
  t.teardown(() => network.close());
  network.trouble = { kind: 'stall', after: 30_000 };
  const here = await startInProcess(t, {
    datacenterName: 'west',
    imgapiUrlFromDatacenter: { east: network.url },
  });
  const make = async (owner: string, fields: object) =>
    (await makeImage(there.client(), fields, { owner, size: 60_000 })).image.uuid;
  const below = await make(ALICE, { ...SECRETS, acl: [BOB] });
  const bobs = await make(BOB, { name: 'bobs', origin: below });
  const above = await make(ALICE, { ...SECRETS, origin: bobs });
  const call: Mixed['call'] = async (path, init = {}) => {
    const response = await globalThis.fetch(here.url + path, {
      ...init,
      headers: { 'accept-version': '~3', ...init.headers },
    });
    const text = await response.text();
    const isOne = response.headers.get('content-type') === 'application/json' && text.startsWith('{');
    return { status: response.status, text, body: isOne ? JSON.parse(text) : {} };
  };
  await there.client().removeImageAcl(below, [BOB]);
  const source = encodeURIComponent(network.url);
  const started = await call(`/images/${above}?action=import-remote&source=${source}`, { method: 'POST' });
  if (started.status !== 200) throw new Error(started.text);
  return { here, bobs, alices: [below, above], call };
}

test('of an import that brings its image an account hears what concerns its own images', async (t) => {
  const { here, bobs, alices, call } = await mixedImport(t);
  const { service } = here.imgapi;
  const hidden = [...alices, ...Object.values(SECRETS)];
  const tellsNothing = (text: string, what: string) => {
    for (const secret of hidden) t.notMatch(text.replaceAll(`"origin": "${alices[0]}"`, ''), secret, what);
  };
  const status = await call(`/images/${bobs}/copy?account=${BOB}`);
  t.match(status.body, { image_uuid: bobs, images: [{ uuid: bobs, name: 'bobs' }], bytes_total: 60_000 });
  t.equal((status.body as unknown as CopyStatus).images.length, 1);
  tellsNothing(status.text, 'the status');
  const jobs = await call(`/images/${bobs}/jobs?account=${BOB}`);
  t.match(JSON.parse(jobs.text), [{ image_uuid: bobs, params: { images: [bobs] } }]);
  tellsNothing(jobs.text, 'the jobs');
  const canceled = await call(`/images/${bobs}/copy?account=${BOB}`, { method: 'DELETE' });
  t.match(canceled, { status: 422, body: { code: 'ImageHasDependentImages' } });
  tellsNothing(canceled.text.replaceAll('another image', ''), 'the refusal to cancel');
  for (const uuid of alices) t.equal((await call(`/images/${uuid}/copy?account=${BOB}`)).status, 404);
  const asOperator = await call(`/images/${bobs}/copy`);
  t.equal((asOperator.body as unknown as CopyStatus).images.length, 3, 'operators see all of it');

  const attached = await call(`/images/${bobs}?action=copy-from-dc&datacenter=east&account=${BOB}`, { method: 'POST' });
  t.match(attached, { status: 422, body: { code: 'OriginDoesNotExist' } }, 'nor does it get a copy with them');
  t.notMatch(attached.text, /secret/);

  const watching = call(`/images/${bobs}/copy?account=${BOB}`, { headers: { accept: 'application/x-json-stream' } });
  const order = (await service.store.find(COPIES, {}))[0]!.value;
  const failure = {
    code: 'HashMismatch',
    message: `image "${alices[0]}" named secret-name has the wrong bytes`,
  } as const;
  await endOrder(service, order.uuid, { event: 'fail', failure, image: alices[0] });
  const lines = await watching;
  t.match(lines.text, /"state":"failed"/);
  tellsNothing(lines.text, 'the lines');
  const failed = await call(`/images/${bobs}?account=${BOB}`);
  t.match(failed.body, { state: 'failed', error: { code: 'HashMismatch' } });
  tellsNothing(failed.text, 'the placeholder');
  t.match((await call(`/images/${alices[0]}?account=${ALICE}`)).body, { error: { message: failure.message } });
  await waitFor('nothing to be live', async () =>
    (await service.store.find(COPIES, {})).every(({ value }) => !value.live),
  );
});

test('who deletes its own image from an import that is under way is kept by nobody else’s', async (t) => {
  const { here, bobs, alices, call } = await mixedImport(t);
  const [below, above] = alices;
  const kept = await call(`/images/${bobs}?account=${BOB}`, { method: 'DELETE' });
  t.equal(kept.status, 204, kept.text);
  const order = await waitFor('the import to end', async () => {
    const [stored] = await here.imgapi.service.store.find(COPIES, {});
    return stored?.value.live ? undefined : stored?.value;
  });
  t.match(order, { state: 'failed', error: { code: 'PlaceholderGone' } });
  for (const uuid of [above, below]) {
    t.equal((await call(`/images/${uuid}?account=${ALICE}`, { method: 'DELETE' })).status, 204);
  }
  t.equal((await here.client({ account: ADMIN }).listImages({ state: 'all' })).length, 0);
});
