/** The table of decision.ts against real stores and a real source: each request on each local record. */
import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { CopyOrder } from '#src/copies/documents/model.ts';
import { cancelCopy, deletePlaceholder } from '#src/copies/orders/cancel.ts';
import {
  DECISIONS,
  LOCAL_RECORDS,
  type LocalRecord,
  OUTCOMES,
  type Outcome,
  type Request,
} from '#src/copies/orders/decision.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { copyFromDatacenter, importFromDatacenter } from '#src/copies/orders/place-order.ts';
import { removePlaceholder } from '#src/copies/orders/remove-placeholder.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { makeRoom } from '#src/images/create.ts';
import { deleteImage } from '#src/images/delete.ts';
import { changeImage } from '#src/images/record/change.ts';
import type { StoredImage } from '#src/images/record/load.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { type CopyPair, caller, copyPair, lastOrder, orderOf, recordOf, transferOf } from './fixture.ts';

interface Scene {
  readonly pair: CopyPair;
  readonly uuid: string;
  readonly bytes: Buffer;
  /** The order that made the local record, where one did. */
  readonly earlier: CopyOrder | undefined;
}

const OTHER_IMAGE = 'an image that has nothing to do with it';

/** One of each column; the local record is Alice's unless the row is about somebody else's. */
async function scene(t: Test, request: Request, column: LocalRecord): Promise<Scene> {
  const pair = await copyPair(t);
  const owner = request === 'copy-other-owner' ? BOB : ALICE;
  const { record, bytes } = await putImage(pair.source, owner);
  const { uuid } = record;
  await putImage(pair.dest, ALICE, { name: 'bystander', description: OTHER_IMAGE });
  if (column === 'usable') await putImage(pair.dest, owner, { uuid }, bytes);
  // What AdminImport completes is the placeholder of an image that is to be made from a machine.
  const state = request === 'admin-import' ? 'creating' : 'unactivated';
  if (column === 'other') await putImage(pair.dest, owner, { uuid, activated: false, state }, bytes);
  if (column !== 'live' && column !== 'failed') return { pair, uuid, bytes, earlier: undefined };
  const order = await pair.copy(uuid, { account: owner });
  const failure = { code: 'GaveUp', message: 'enough' } as const;
  if (column === 'failed') await endOrder(pair.service, order.uuid, { event: 'fail', failure, image: uuid });
  return { pair, uuid, bytes, earlier: await orderOf(pair.service, order.uuid) };
}

type Act = (scene: Scene) => Promise<unknown>;

async function copy({ pair, uuid }: Scene, doNotRestart = false): Promise<CopyOrder> {
  const source = await recordedSource(pair.service, pair.source.name);
  const request = { uuid, account: ALICE, source: source!, dryRun: false, doNotRestart };
  return copyFromDatacenter(pair.service, request, new AbortController().signal);
}

const ACTS: Readonly<Record<Request, Act>> = {
  copy,
  'copy-other-hash': async (at) => {
    await putImage(at.pair.source, ALICE, { uuid: at.uuid }, randomBytes(1000));
    return copy(at);
  },
  'copy-other-owner': async (at) => {
    await putImage(at.pair.source, ALICE, { uuid: at.uuid }, at.bytes);
    return copy(at);
  },
  'do-not-restart': async (at) => {
    // An image that was never copied has no result.
    if ((await recordOf(at.pair.service, at.uuid))?.activated) await copy(at);
    return copy(at, true);
  },
  import: async ({ pair, uuid }) => {
    const source = await recordedSource(pair.service, pair.source.name);
    const request = { uuid, account: ALICE, source: source! };
    return importFromDatacenter(pair.service, request, new AbortController().signal);
  },
  cancel: ({ pair, uuid }) => cancelCopy(pair.service, uuid, ALICE),
  delete: async ({ pair, uuid }) => {
    await deleteImage(pair.service, {
      uuid,
      viewer: { account: ALICE },
      deletePlaceholder: (placeholder) => deletePlaceholder(pair.service, placeholder, caller(ALICE)),
    });
    return DELETED;
  },
  change: ({ pair, uuid }) => changeImage(pair.service, { uuid, viewer: { account: ALICE } }, () => undefined),
  'admin-import': async ({ pair, uuid }) => {
    const room = { uuid, removePlaceholder: (stored: StoredImage) => removePlaceholder(pair.service, stored) };
    return (await makeRoom(pair.service, room)) === null;
  },
};

const DELETED = 'deleted';

type Check = (t: Test, at: Scene, answer: unknown, before: ImageRecord | undefined) => Promise<unknown>;

async function isNewOrder(t: Test, { pair, uuid, earlier }: Scene, answer: unknown): Promise<void> {
  const order = answer as CopyOrder;
  t.not(order.uuid, earlier?.uuid);
  t.match(await orderOf(pair.service, order.uuid), { state: 'queued', live: true, image: uuid, account: ALICE });
  t.match(await recordOf(pair.service, uuid), {
    state: 'creating',
    activated: false,
    owner: ALICE,
    copy: { state: 'live' },
  });
  t.match(await transferOf(pair.service, uuid), { state: 'queued', live: true, orders: [order.uuid] });
}

const CHECKS: Readonly<Partial<Record<Outcome, Check>>> = {
  'new-order': isNewOrder,
  'new-attempt': isNewOrder,
  'drop-bytes': async (t, at, answer) => {
    await isNewOrder(t, at, answer);
    t.match(await transferOf(at.pair.service, at.uuid), { total: 1000, attempt: 0 });
  },
  'replace-placeholder': async (t, at, answer) => {
    if (answer === true) t.equal(await recordOf(at.pair.service, at.uuid), undefined);
    else await isNewOrder(t, at, answer);
  },
  attach: async (t, { earlier }, answer) => t.equal((answer as CopyOrder).uuid, earlier?.uuid),
  'last-result': async (t, { pair, uuid }, answer) => t.same(answer, await lastOrder(pair.service, uuid)),
  recopy: async (t, { pair, uuid }, answer) => {
    t.match(answer, { state: 'succeeded', changes: [] });
    t.match(await recordOf(pair.service, uuid), { activated: true });
  },
  canceled: async (t, { pair, uuid, earlier }) => {
    t.match(await orderOf(pair.service, earlier!.uuid), { state: 'canceled' });
    t.equal(await recordOf(pair.service, uuid), undefined);
    t.equal(await transferOf(pair.service, uuid), undefined);
  },
  'canceled-by-delete': async (t, { pair, uuid, earlier }) => {
    t.match(await orderOf(pair.service, earlier!.uuid), { state: 'canceled' });
    t.equal(await recordOf(pair.service, uuid), undefined);
  },
  'remove-placeholder': async (t, { pair, uuid }) => {
    t.equal(await recordOf(pair.service, uuid), undefined);
    t.equal(await transferOf(pair.service, uuid), undefined);
  },
  'as-usual': async (t, { pair, uuid }, answer, before) =>
    t.same(await recordOf(pair.service, uuid), answer === DELETED ? undefined : before),
};

const REFUSALS: Readonly<Partial<Record<Outcome, string>>> = {
  'not-found': 'ResourceNotFound',
  exists: 'ImageUuidAlreadyExists',
  'in-progress': 'ImageCopyInProgress',
  'copy-failed': 'ImageCopyFailed',
};

function isNeverAsked(request: Request, column: LocalRecord, outcome: Outcome): boolean {
  if (outcome === 'impossible') return true;
  // Nobody but an operator imports so, and to an operator somebody's usable image is no secret.
  return request === 'copy-other-owner' && column === 'usable';
}

for (const [request, row] of Object.entries(DECISIONS) as [Request, Record<LocalRecord, Outcome>][]) {
  for (const column of LOCAL_RECORDS) {
    const outcome = row[column];
    if (isNeverAsked(request, column, outcome)) continue;
    test(`${request}, local record ${column}: ${OUTCOMES[outcome]}`, async (t) => {
      const at = await scene(t, request, column);
      const before = await recordOf(at.pair.service, at.uuid);
      const code = REFUSALS[outcome];
      if (code) {
        await t.rejects(ACTS[request](at), { code });
        t.same(await recordOf(at.pair.service, at.uuid), before, 'the record is as it was');
      } else {
        const answer = await ACTS[request](at);
        await CHECKS[outcome]!(t, at, answer, before);
      }
      const bystanders = await at.pair.service.store.count({ name: 'imgapi_images', version: 1, index: {} });
      t.equal(bystanders, (await recordOf(at.pair.service, at.uuid)) ? 2 : 1, 'nothing else was touched');
    });
  }
}
