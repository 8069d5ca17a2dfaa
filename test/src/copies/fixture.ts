/** A source and a destination, linked, with a network between them that can be troubled, and a copy engine. */
import bunyan from 'bunyan';
import type { Test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { BUCKETS } from '#src/buckets.ts';
import { COPIES, type CopyOrder, TRANSFERS, type Transfer } from '#src/copies/documents/model.ts';
import { lastOrderOf } from '#src/copies/orders/find-orders.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { claim } from '#src/copies/transfer/attempt.ts';
import { type CopyWorker, startCopyWorker } from '#src/copies/transfer/worker.ts';
import { changeLink } from '#src/datacenters/links/links.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import type { Caller, Service } from '#src/service/service.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type Datacenter, type DatacenterOptions, linkedPair } from '../../helpers/datacenter.ts';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.ts';
import { waitFor } from '../../helpers/wait.ts';

export interface CopyPair {
  readonly source: Datacenter;
  readonly dest: Datacenter;
  readonly service: Service;
  readonly network: TcpProxy;
  /** A copy engine on the destination's stores, as another process would run one; stopped with the test. */
  engine(service?: Service): CopyWorker;
  copy(uuid: string, options?: { account?: string; from?: string; finishBy?: string }): Promise<CopyOrder>;
}

const BRISK = {
  concurrency: 4,
  perLink: 4,
  perAccount: 4,
  leaseSeconds: 2,
  heartbeatSeconds: 0.1,
  stallSeconds: 2,
  retryDelay: { min: 0.02, max: 0.2 },
};

export async function copyPair(
  t: Test,
  copies: object = {},
  options: { readonly source?: DatacenterOptions; readonly dest?: DatacenterOptions } = {},
): Promise<CopyPair> {
  const keys = { copies: { ...BRISK, ...copies }, ...options.dest?.keys };
  const pair = await linkedPair(t, {
    ...(options.source ? { east: options.source } : {}),
    west: { ...options.dest, keys },
  });
  const { east: source, west: dest } = pair;
  const { service } = dest;
  await service.store.open(BUCKETS);
  const network = await startTcpProxy(Number(new URL(source.url).port));
  t.teardown(() => network.close());
  await changeLink(service, source.name, (link) => ({ ...link, url: network.url, pull_origins: [network.url] }));
  await changeLink(source.service, dest.name, (link) => ({ ...link, our_url: network.url }));
  Object.assign(source.service.config.pulls, { publicUrl: network.url });
  return {
    source,
    dest,
    service,
    network,
    engine: (as = service) => {
      const worker = startCopyWorker(as, { pollMs: 20 });
      t.teardown(() => worker.stop());
      return worker;
    },
    async copy(uuid, { account = ALICE, from = source.name, finishBy } = {}) {
      const named = await recordedSource(service, from);
      if (!named) throw new Error(`no source ${from}`);
      const request = { uuid, account, source: named, dryRun: false, doNotRestart: false, finishBy };
      return copyFromDatacenter(service, request, new AbortController().signal);
    },
  };
}

/** The same stores, seen by another process. */
export function otherProcess(service: Service, worker: string): Service {
  return { ...service, worker };
}

export async function recordOf(service: Service, uuid: string): Promise<ImageRecord | undefined> {
  return (await service.store.get(IMAGES, uuid))?.value;
}

export async function transferOf(service: Service, uuid: string): Promise<Transfer | undefined> {
  return (await service.store.get(TRANSFERS, uuid))?.value;
}

export async function orderOf(service: Service, uuid: string): Promise<CopyOrder> {
  const stored = await service.store.get(COPIES, uuid);
  if (!stored) throw new Error(`no order ${uuid}`);
  return stored.value;
}

/** What a worker has when it took the transfer up. */
export async function claimed(service: Service, uuid: string): Promise<Transfer> {
  const stored = await service.store.get(TRANSFERS, uuid);
  const taken = stored && (await claim(service, stored));
  if (!taken || taken === 'lost') throw new Error(`no claim on ${uuid}`);
  return taken;
}

/** Waits until the order has ended, however. */
export function ended(service: Service, uuid: string): Promise<CopyOrder> {
  return waitFor(`order ${uuid} to end`, async () => {
    const order = await orderOf(service, uuid);
    return order.live ? undefined : order;
  });
}

export async function lastOrder(service: Service, image: string): Promise<CopyOrder | undefined> {
  return lastOrderOf(service, image, undefined);
}

export function caller(account?: string): Caller {
  const log = bunyan.createLogger({ name: 'caller', level: 'fatal' });
  return { account, requestId: 'test', log, signal: new AbortController().signal };
}
