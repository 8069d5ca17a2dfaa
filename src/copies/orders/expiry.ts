/**
 * Removes what copies leave behind, after a while: finished orders, and the placeholders and bytes of failed copies.
 * Anything that a live order lists is kept, however old it is. A dry run returns the plan that a real run carries out.
 */

import type { CleanUpReport } from '#lib/api/schemas/maintenance.ts';
import type { Filter, Query, Stored } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { BYTE_LINKS } from '#lib/manifest/object-paths.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { loadRaw } from '../../images/record/load.ts';
import { answeringStorages } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';
import { COPIES, deleteTransfer, TRANSFERS, type Transfer } from '../documents/model.ts';
import { sessionsInUse } from '../documents/staging.ts';
import { discardStaging, removePlaceholder } from './remove-placeholder.ts';

type ExpiryReport = CleanUpReport['copies'];

/** A document to remove, and the version of it that the plan was made for. */
interface Planned {
  readonly key: string;
  readonly etag: string;
}

interface ExpiryPlan {
  readonly transfers: readonly (Planned & { readonly bytes: number })[];
  readonly orders: readonly Planned[];
  readonly links: readonly { readonly stor: string; readonly path: string }[];
}

/** @param dryRun only report what a run would do now */
export async function expireCopies(service: Service, { dryRun }: { readonly dryRun: boolean }): Promise<ExpiryReport> {
  const plan = await planExpiry(service);
  const done = dryRun ? plan : await carryOut(service, plan);
  return {
    placeholders: done.transfers.map(({ key, bytes }) => ({ uuid: key, bytes })),
    orders: done.orders.map(({ key }) => key),
    links: done.links.map(({ path }) => path),
  };
}

async function planExpiry(service: Service): Promise<ExpiryPlan> {
  const { keepFailedSeconds, keepFinishedSeconds } = service.config.copies;
  const transfers: ExpiryPlan['transfers'][number][] = [];
  const orders: Planned[] = [];
  const failed: Query = { filter: endedBefore(service, 'ended_at', keepFailedSeconds) };
  for await (const found of service.store.scan(TRANSFERS, failed)) {
    transfers.push(...found.map(({ key, etag, value: { bytes } }) => ({ key, etag, bytes })));
  }
  const finished: Query = { filter: endedBefore(service, 'finished_at', keepFinishedSeconds) };
  for await (const found of service.store.scan(COPIES, finished)) {
    orders.push(...found.map(({ key, etag }) => ({ key, etag })));
  }
  return { transfers, orders, links: await unusedLinks(service) };
}

function endedBefore(service: Service, field: string, seconds: number): Filter {
  const cutoff = new Date(service.store.now() - seconds * 1000).toISOString();
  return {
    op: 'and',
    of: [
      { op: 'eq', field: 'live', value: false },
      { op: 'lt', field, value: cutoff },
    ],
  };
}

async function unusedLinks(service: Service): Promise<ExpiryPlan['links']> {
  const links: { stor: string; path: string; session: string }[] = [];
  for (const storage of await answeringStorages(service)) {
    const entries = await storage.list(BYTE_LINKS);
    const { name: stor } = storage;
    links.push(...entries.map(({ name }) => ({ stor, path: `${BYTE_LINKS}/${name}`, session: name })));
  }
  if (links.length === 0) return [];
  const used = await sessionsInUse(service, new Set(links.map(({ session }) => session)));
  return links.filter(({ session }) => !used.has(session)).map(({ stor, path }) => ({ stor, path }));
}

async function carryOut(service: Service, plan: ExpiryPlan): Promise<ExpiryPlan> {
  const transfers: ExpiryPlan['transfers'][number][] = [];
  const orders: Planned[] = [];
  const removals = [
    ...plan.transfers.map((planned) => async () => {
      if (await removeFailed(service, planned)) transfers.push(planned);
    }),
    ...plan.orders.map((planned) => async () => {
      if (await removeOrder(service, planned)) orders.push(planned);
    }),
    ...plan.links.map(
      ({ stor, path }) =>
        () =>
          service.storages.named(stor).remove(path),
    ),
  ];
  await forEachInTurn(removals, (remove) => remove());
  return { transfers, orders, links: plan.links };
}

/** False if the image has been ordered again in the meantime. */
async function removeFailed(service: Service, { key, etag }: Planned): Promise<boolean> {
  const transfer = await service.store.get(TRANSFERS, key);
  if (transfer?.etag !== etag) return false;
  return unlessChanged(removeWithPlaceholder(service, transfer));
}

async function removeWithPlaceholder(service: Service, transfer: Stored<Transfer>): Promise<void> {
  const record = await loadRaw(service, transfer.key);
  if (record?.value.copy?.state === 'failed') await removePlaceholder(service, record);
  else {
    await service.store.batch([deleteTransfer(transfer)]);
    await discardStaging(service, transfer.value);
  }
}

function removeOrder(service: Service, { key, etag }: Planned): Promise<boolean> {
  return unlessChanged(service.store.batch([{ op: 'del', bucket: COPIES, key, ifEtag: etag }]));
}
