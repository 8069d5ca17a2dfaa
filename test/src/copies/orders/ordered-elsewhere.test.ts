/** What another datacenter orders here for an account takes nothing of what the account has for itself. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import type { CopyOrder } from '#src/copies/documents/model.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { isRoomBeside, runningTransfers } from '#src/copies/transfer/bandwidth.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { type CopyPair, claimed, copyPair, ended, orderOf, recordOf, transferOf } from '../fixture.ts';

const ACCEPTS = { links: { acceptOrders: { 'us-east-1': { bytesPerDay: 1e9 } } } };

/** As the source would order it over its link. */
async function order({ service }: CopyPair, uuid: string, account = ALICE): Promise<CopyOrder> {
  const source = await recordedSource(service, 'us-east-1');
  if (!source) throw new Error('there is no link');
  const terms = { by: { datacenter: 'us-east-1', fan_out: randomUUID() } };
  const request = { uuid, account, source, dryRun: false, doNotRestart: false, terms };
  return copyFromDatacenter(service, request, new AbortController().signal);
}

test('its transfers take its own places, until the account wants the image itself', async (t) => {
  const pair = await copyPair(t, { perAccount: 1 }, { dest: { keys: ACCEPTS } });
  const { service } = pair;
  const { record } = await putImage(pair.source, ALICE);
  const theirs = await order(pair, record.uuid);
  t.match(await transferOf(service, record.uuid), { ordered_by: 'us-east-1', lane: 'datacenter:us-east-1 us-east-1' });
  await claimed(service, record.uuid);
  const running = await runningTransfers(service);
  t.ok(isRoomBeside(service, running, ALICE), 'the account has its place');
  t.notOk(isRoomBeside(service, running, 'datacenter:us-east-1'));
  const own = await pair.copy(record.uuid);
  t.not(own.uuid, theirs.uuid, 'the account has an order that the other datacenter cannot cancel');
  t.equal((await pair.copy(record.uuid)).uuid, own.uuid);
  const { ordered_by, lane } = (await transferOf(service, record.uuid)) ?? {};
  t.strictSame([ordered_by, lane], [undefined, `${ALICE} us-east-1`]);
});

test('what was given away here follows nothing of its former owner', async (t) => {
  const pair = await copyPair(t, {}, { dest: { keys: ACCEPTS } });
  const { service, source } = pair;
  pair.engine();
  const { record } = await putImage(source, ALICE);
  const { uuid } = record;
  await ended(service, (await order(pair, uuid)).uuid);
  const change = (where: typeof service, fields: object) =>
    updateObject(where.store, IMAGES, uuid, (image) => ({
      ...image,
      ...fields,
      rev: image.rev === undefined ? 1 : image.rev + 1,
    }));
  await change(source.service, { description: 'second' });
  t.equal((await orderOf(service, (await order(pair, uuid)).uuid)).state, 'succeeded');
  t.equal((await recordOf(service, uuid))?.description, 'second');
  await change(service, { owner: BOB });
  // It says what it likes of the owner.
  await change(source.service, { owner: BOB, description: 'third' });
  await order(pair, uuid, BOB);
  t.equal((await recordOf(service, uuid))?.description, 'second');
});
