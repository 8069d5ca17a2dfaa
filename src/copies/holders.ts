/** Which other datacenters have an image: what those that are linked say just now, and what is recorded of copies here. */
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { allLinks } from '../datacenters/links/links.ts';
import { linkSource } from '../datacenters/sources/source-link.ts';
import type { Service } from '../service/service.ts';
import { failureFor } from './documents/failure-of.ts';
import { FAN_OUTS } from './fan-out/model.ts';

export type Holder = NonNullable<ImageUsage['datacenters']>[number];

/** For all datacenters, which are asked at the same time. */
const PATIENCE_MS = 5000;
const LONGEST_STATE = 50;
/** The last of so many orders are looked at. */
const MOST_ORDERS = 100;

/** Sorted by name. @param account who asks; absent: an operator. A link is asked on behalf of the owner in any case */
export async function holdersOf(
  service: Service,
  record: ImageRecord,
  { account, signal }: { readonly account: string | undefined; readonly signal: AbortSignal },
): Promise<Holder[]> {
  const recorded = await recordedHolders(service, record);
  const limit = AbortSignal.any([signal, timeLimit(PATIENCE_MS)]);
  const links = (await allLinks(service)).map(({ name }) => name);
  const asked = await Promise.all(links.map((name) => ask(service, record, name, limit)));
  signal.throwIfAborted();
  const told = asked.flatMap((answer, i): Holder[] => {
    const datacenter = links[i] ?? '';
    if (answer === 'absent') return [];
    if (!('failure' in answer)) return [{ datacenter, ...answer }];
    const error = failureFor(account, answer.failure);
    return [{ datacenter, ...(recorded.has(datacenter) && { recorded: true }), error }];
  });
  const others = [...recorded].filter((name) => !links.includes(name));
  const all = [...told, ...others.map((datacenter): Holder => ({ datacenter, recorded: true }))];
  return all.toSorted((one, other) => (one.datacenter < other.datacenter ? -1 : 1));
}

type Told = Pick<Holder, 'state' | 'sha1'> | 'absent' | { readonly failure: unknown };

async function ask(service: Service, { uuid, owner }: ImageRecord, name: string, signal: AbortSignal): Promise<Told> {
  // A link shows images to their owners alone.
  if (owner === undefined) return 'absent';
  try {
    const { manifest, files } = await linkSource(service, name).getImage(uuid, owner, signal);
    const { state } = manifest;
    const sha1 = files[0]?.sha1;
    return {
      ...(typeof state === 'string' && { state: cutText(state, LONGEST_STATE) }),
      ...(sha1 !== undefined && { sha1: sha1.toLowerCase() }),
    };
  } catch (error) {
    const isAbsent = error instanceof ImgapiError && (error.statusCode === 404 || error.code === 'NotImageOwner');
    return isAbsent ? 'absent' : { failure: error };
  }
}

/** By name. A source that an operator named by its URL is no datacenter. */
async function recordedHolders(
  { store }: Service,
  { uuid, owner, copied_from: from }: ImageRecord,
): Promise<ReadonlySet<string>> {
  const filter = { op: 'eq', field: 'image', value: uuid } as const;
  const sort = { field: 'created_at', order: 'desc' } as const;
  const orders = await store.find(FAN_OUTS, { filter, sort, limit: MOST_ORDERS });
  const copied = orders
    .filter(({ value }) => value.account === owner)
    .flatMap(({ value }) => value.targets.filter(({ state }) => state === 'succeeded'))
    .map(({ datacenter }) => datacenter);
  return new Set([...(from && !from.datacenter.includes('://') ? [from.datacenter] : []), ...copied]);
}
