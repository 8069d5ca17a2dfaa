/** The preview of a copy: which images would come, how many bytes, and what is already here. Nothing is written. */
import type { CopyPlan } from '#lib/api/schemas/copy.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { loadRaw } from '../../images/record/load.ts';
import { heldByDeleted } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import { TRANSFERS } from '../documents/model.ts';
import { type Chain, walkChain } from './chain.ts';
import { ownImage } from './checks.ts';
import { copyRequest, decide, hashOf, type Outcome, refusal } from './decision.ts';
import { type Incoming, incomingImage } from './placeholder.ts';
import { SourceReader } from './source-reader.ts';

type PlannedImage = CopyPlan['images'][number];

/** @throws what CopyImageFromDc would answer */
export async function planCopy(
  service: Service,
  { uuid, account, source }: { readonly uuid: string; readonly account: string; readonly source: ImageSource },
  signal: AbortSignal,
): Promise<CopyPlan> {
  const reader = new SourceReader(source, account, signal);
  const image = await ownImage(reader, uuid, account);
  const request = { kind: 'copy-from-dc', account, source: source.name, policy: 'own' } as const;
  const incoming = incomingImage(service, image, request);
  const outcome = await outcomeFor(service, incoming, account);
  const chain: Chain =
    outcome === 'recopy' ? { members: [], base: uuid } : await walkChain(service, reader, request, incoming);
  const planned: Planned[] = [];
  if (chain.base !== undefined) planned.push(await imageHere(service, chain.base));
  for (const member of chain.members) planned.push(await imageToCome(service, member, account));
  return {
    image_uuid: uuid,
    datacenter: source.name,
    images: planned.map((entry) => entry.image),
    bytes_total: planned.reduce((sum, entry) => sum + entry.image.size, 0),
    bytes_to_copy: planned.reduce((sum, entry) => sum + entry.missing, 0),
  };
}

interface Planned {
  readonly image: PlannedImage;
  /** Bytes that this copy would have to bring. */
  readonly missing: number;
}

async function outcomeFor(service: Service, { uuid, file, record }: Incoming, account: string): Promise<Outcome> {
  const stored = await loadRaw(service, uuid);
  if (stored?.value.kept) throw heldByDeleted(stored.value, stored.value.kept, { account });
  const local = stored?.value.state === 'deleting' ? undefined : stored?.value;
  const outcome = decide(
    local,
    account,
    copyRequest('copy', local, { account, owner: String(record.owner), sha1: file.sha1 }),
  );
  if (outcome === 'exists') throw refusal(outcome, uuid);
  return outcome;
}

async function imageHere(service: Service, uuid: string): Promise<Planned> {
  const record = (await loadRaw(service, uuid))?.value;
  if (!record) throw refusal('not-found', uuid);
  const { name, version, files } = record;
  return { image: { uuid, name, version, size: files?.[0]?.size ?? 0, here: true, action: 'here' }, missing: 0 };
}

async function imageToCome(service: Service, incoming: Incoming, account: string): Promise<Planned> {
  const { uuid, file, record } = incoming;
  const { size } = file;
  const base = { uuid, name: record.name, version: record.version, size, here: false };
  const outcome = await outcomeFor(service, incoming, account);
  if (outcome === 'attach') return { image: { ...base, action: 'attach' }, missing: 0 };
  const kept = outcome === 'new-attempt' ? await bytesKept(service, uuid, file.sha1) : 0;
  return { image: { ...base, action: 'copy' }, missing: size - Math.min(size, kept) };
}

/** How many bytes of the same file a failed copy left here. */
async function bytesKept(service: Service, uuid: string, sha1: string): Promise<number> {
  const record = (await loadRaw(service, uuid))?.value;
  const transfer = (await service.store.get(TRANSFERS, uuid))?.value;
  return record && hashOf(record) === sha1 ? (transfer?.bytes ?? 0) : 0;
}
