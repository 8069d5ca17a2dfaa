/** Asks a linked datacenter for its state. */
import { LinkPing } from '#lib/api/schemas/link.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { promptIdentity } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';
import { SourceInvalidError } from '../peers/errors.ts';
import type { LinkClient } from './link-client.ts';
import { LINK_VERSION, ownName, SERVICE_VERSION } from './self.ts';
import { expectShape } from './wire.ts';

const PING_TIMEOUT_MS = 15_000;

export interface PingResult {
  readonly ping: LinkPing;
  /** How far the other's clock is ahead of ours; negative if it is behind. */
  readonly clockSkewSeconds: number;
}

export async function pingLink(service: Service, client: LinkClient, signal?: AbortSignal): Promise<PingResult> {
  const sent = service.store.now();
  const answer = await client.json({
    method: 'GET',
    path: '/link/ping',
    timeout: PING_TIMEOUT_MS,
    ...(signal && { signal }),
  });
  const { name, url } = client.link;
  const ping = expectShape(answer, LinkPing, url);
  if (ping.datacenter !== name) {
    throw new SourceInvalidError(`${url} is datacenter "${ping.datacenter}", not "${name}"`);
  }
  const theirs = Date.parse(ping.time);
  if (Number.isNaN(theirs)) {
    throw new SourceInvalidError(`${url} gives its time as ${JSON.stringify(ping.time)}, which is not a date`);
  }
  const middle = (sent + service.store.now()) / 2;
  return { ping, clockSkewSeconds: Math.round((theirs - middle) / 1000) || 0 };
}

export async function ownPing(service: Service): Promise<LinkPing> {
  const stores = await Promise.all([...service.storages].map((store) => identityOf(service, store)));
  return {
    datacenter: ownName(service),
    versions: { service: SERVICE_VERSION, link: LINK_VERSION },
    time: new Date(service.store.now()).toISOString(),
    stores: Object.fromEntries(stores.flat()),
  };
}

/** Empty if the store is down; the link itself works without it. */
async function identityOf(service: Service, store: ObjectStore): Promise<[string, string][]> {
  try {
    return [[store.name, await promptIdentity(store)]];
  } catch (err) {
    service.log.warn({ err, store: store.name }, 'the identity of an object store cannot be read');
    return [];
  }
}
