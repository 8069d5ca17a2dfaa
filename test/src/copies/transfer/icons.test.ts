/** Icons of images whose copy failed and is ordered again. */
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { IconRecord } from '#lib/manifest/record.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { runTransfer } from '#src/copies/transfer/transfer.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { bytesOf, type Datacenter, putImage, putObject } from '../../../helpers/datacenter.ts';
import { sha1Of } from '../../../helpers/images.ts';
import { type CopyPair, claimed, copyPair, ended, recordOf } from '../fixture.ts';

const FAILURE = { code: 'SourceGone', message: 'gone' } as const;

/** Gives the image this icon, or none. */
async function setIcon({ service }: Datacenter, uuid: string, icon: Buffer | undefined): Promise<void> {
  const mtime = '2026-01-01T00:00:00.000Z';
  const record: IconRecord | undefined = icon && {
    ...{ sha1: sha1Of(icon), size: icon.length, contentType: 'image/png', mtime, stor: 'local' },
    contentMD5: createHash('md5').update(icon).digest('base64'),
  };
  if (icon) await putObject(service.storages.named('local'), imageObjectPath(uuid, 'icon'), icon);
  await changeRecord(service, uuid, ({ icon: _, ...rest }) => ({ ...rest, ...(record && { icon: record }) }));
}

/** The icon that is here: that of the record, which the bytes must agree with. */
async function iconHere({ service }: CopyPair, uuid: string): Promise<Buffer | undefined> {
  const icon = (await recordOf(service, uuid))?.icon;
  const local = service.storages.named('local');
  const path = imageObjectPath(uuid, 'icon');
  if (!icon) {
    if (await local.info(path)) throw new Error('an icon is left that the record does not name');
    return undefined;
  }
  const bytes = await bytesOf((await local.read(path)).stream);
  if (sha1Of(bytes) !== icon.sha1) throw new Error('the record has another icon');
  return bytes;
}

test('an image that is ordered again has the icon that the source has now, whatever came before', async (t) => {
  const pair = await copyPair(t);
  const [old, replaced] = [randomBytes(500), randomBytes(600)];
  const orders: [base: string, child: string, icon: Buffer | undefined][] = [];
  for (const [before, after] of [
    [old, replaced],
    [old, undefined],
    [undefined, replaced],
    [old, old],
  ] as const) {
    const base = (await putImage(pair.source, ALICE)).record.uuid;
    const child = (await putImage(pair.source, ALICE, { origin: base })).record.uuid;
    await setIcon(pair.source, base, before);
    const { uuid } = await pair.copy(child);
    await runTransfer(pair.service, await claimed(pair.service, base), new AbortController().signal);
    t.same(await iconHere(pair, base), before);
    await endOrder(pair.service, uuid, { event: 'fail', failure: FAILURE, image: child });
    t.match(await recordOf(pair.service, base), { state: 'failed', files: [{}] });
    await setIcon(pair.source, base, after);
    orders.push([base, child, after]);
  }
  pair.engine();
  for (const [base, child, icon] of orders) {
    t.match(await ended(pair.service, (await pair.copy(child)).uuid), { state: 'succeeded' });
    t.same(await iconHere(pair, base), icon);
  }
});

test('so has one whose icon came and whose file did not', async (t) => {
  const pair = await copyPair(t);
  const uuids: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { uuid } = (await putImage(pair.source, ALICE)).record;
    const order = await pair.copy(uuid);
    await endOrder(pair.service, order.uuid, { event: 'fail', failure: FAILURE, image: uuid });
    await setIcon(pair.dest, uuid, randomBytes(500));
    uuids.push(uuid);
  }
  const [changed = '', removed = ''] = uuids;
  const icon = randomBytes(600);
  await setIcon(pair.source, changed, icon);
  pair.engine();
  for (const uuid of uuids) {
    t.match(await ended(pair.service, (await pair.copy(uuid)).uuid), { state: 'succeeded' });
  }
  t.same(await iconHere(pair, changed), icon);
  t.equal(await iconHere(pair, removed), undefined);
});
