/**
 * Turns a request into an order. The table in `decision.ts` says whether to create an order, attach to one, or refresh
 * the image that is here. If something changes in the meantime, the table is asked again.
 */

import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import { isConflict, retryOnConflict } from '#lib/documents/update.ts';
import type { ImageSource, SourceImage } from '../../datacenters/sources/source.ts';
import { isOwner } from '../../images/record/access.ts';
import { assertOwnerExists } from '../../images/record/new-record.ts';
import { currentRecord, recordHere } from '../../images/record/tombstones.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import type { CopyOrder } from '../documents/model.ts';
import { attach } from './attach.ts';
import { type ChainRequest, type ForeignTerms, walkChain } from './chain.ts';
import { assertUsable, ownImage } from './checks.ts';
import { copyRequest, decide, refusal } from './decision.ts';
import { lastOrderOf } from './find-orders.ts';
import { createOrder } from './new-order.ts';
import { incomingImage } from './placeholder.ts';
import { recopy } from './recopy.ts';
import { SourceReader } from './source-reader.ts';

/** How many times to decide what a request means while the image keeps changing. */
const ATTEMPTS = 10;
/** When an image is already being copied: how long to wait for the source to say whether its file is the same. */
const COMPARE_MS = 2000;

export interface CopyRequest {
  readonly uuid: string;
  readonly account: string;
  readonly source: ImageSource;
  /** For the log of events. */
  readonly requestId?: string | undefined;
  /** Whether to only compare the image here with the source. */
  readonly dryRun: boolean;
  /** Whether to only attach to a copy under way, or report how the last one ended. */
  readonly doNotRestart: boolean;
  /** ISO date. */
  readonly finishBy?: string | undefined;
  /** Given if another datacenter asks. */
  readonly terms?: ForeignTerms;
}

/** CopyImageFromDc. @throws ApiError */
export async function copyFromDatacenter(service: Service, copy: CopyRequest, signal: AbortSignal): Promise<CopyOrder> {
  const early = await answerFromHere(service, copy, signal);
  if (early) return early;
  const { uuid, account, source, requestId, finishBy, terms } = copy;
  const request: ChainRequest = {
    kind: 'copy-from-dc',
    account,
    source: source.name,
    policy: 'own',
    requestId,
    finishBy,
    ...(terms && { terms }),
  };
  const reader = new SourceReader(source, account, signal);
  const image = await ownImage(reader, uuid, account);
  return place(service, request, reader, image, { dryRun: copy.dryRun });
}

/** The answer, if the account's own record here is enough to give one without asking the source. */
function answerFromHere(service: Service, copy: CopyRequest, signal: AbortSignal): Promise<CopyOrder | undefined> {
  const { uuid, account, doNotRestart, requestId, finishBy, terms } = copy;
  return decidingAnew(uuid, async () => {
    const found = (await recordHere(service, uuid))?.value;
    const record = found && isOwner(found, account) ? found : undefined;
    const outcome = decide(record, account, doNotRestart ? 'do-not-restart' : 'copy');
    if (outcome === 'not-found' || outcome === 'exists') throw refusal(outcome, uuid);
    if (outcome === 'last-result') {
      const last = await lastOrderOf(service, uuid, account);
      if (!last) throw refusal('not-found', uuid);
      return last;
    }
    if (outcome !== 'attach') return undefined;
    if (!doNotRestart) await assertSameFile(service, copy, record?.copy?.sha1, signal);
    // A preview moves no deadline.
    const moved = copy.dryRun ? undefined : finishBy;
    return attach(service, uuid, {
      kind: 'copy-from-dc',
      account,
      requestId,
      finishBy: moved,
      ...(terms && { terms }),
    });
  });
}

/** The source may have another file under this UUID than the one being copied. Skipped if the source cannot answer. */
async function assertSameFile(
  service: Service,
  { uuid, account, source }: CopyRequest,
  coming: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const reader = new SourceReader(source, account, AbortSignal.any([signal, AbortSignal.timeout(COMPARE_MS)]));
  let sha1: string;
  try {
    const image = await reader.get(uuid);
    sha1 = incomingImage(service, image, { source: source.name, policy: 'own' }).file.sha1;
  } catch (error) {
    service.log.info(
      { err: failureOf(error), image: uuid, source: source.name },
      'attached to a copy without comparing its file with the source',
    );
    return;
  }
  if (sha1 !== coming) throw refusal('exists', uuid);
}

export interface ImportRequest {
  readonly uuid: string;
  readonly source: ImageSource;
  /** For the log of events. */
  readonly requestId?: string | undefined;
  /** Absent: an operator imports it, with all its origins. */
  readonly account?: string;
  readonly skipOwnerCheck?: boolean;
  /** The channel to put the images into. */
  readonly channel?: string | undefined;
  /** ISO date. */
  readonly finishBy?: string | undefined;
}

/** import-from-datacenter. @throws ApiError */
export async function importFromDatacenter(
  service: Service,
  { uuid, source, account = '', requestId }: ImportRequest,
  signal: AbortSignal,
): Promise<CopyOrder> {
  const request: ChainRequest = {
    kind: 'import-from-datacenter',
    account,
    source: source.name,
    policy: 'own',
    requestId,
  };
  const reader = new SourceReader(source, account, signal);
  return place(service, request, reader, await ownImage(reader, uuid, account));
}

/** import-remote. @throws ApiError */
export async function importRemote(
  service: Service,
  { uuid, source, skipOwnerCheck = false, channel, finishBy, requestId }: ImportRequest,
  signal: AbortSignal,
): Promise<CopyOrder> {
  // An operator may see everything here, so looking here first is safe and saves a request to the source.
  const local = (await currentRecord(service, uuid))?.value;
  if (decide(local, undefined, 'import') === 'exists') throw refusal('exists', uuid);
  const request: ChainRequest = {
    kind: 'import-remote',
    account: undefined,
    source: source.name,
    policy: 'all',
    requestId,
    finishBy,
    ...(channel !== undefined && { channels: [channel] }),
  };
  const reader = new SourceReader(source, undefined, signal);
  const image = await reader.find(uuid);
  if (!image) throw new ApiError('RemoteSourceError', `image "${uuid}" not found at "${source.name}"`);
  assertUsable(image, source.name);
  return place(service, request, reader, image, { checkOwners: !skipOwnerCheck });
}

interface PlaceOptions {
  /** Whether to only compare the image here with the source. */
  readonly dryRun?: boolean;
  /** Whether the owners of the images must exist in the directory. */
  readonly checkOwners?: boolean;
}

async function place(
  service: Service,
  request: ChainRequest,
  reader: SourceReader,
  image: SourceImage,
  { dryRun = false, checkOwners = false }: PlaceOptions = {},
): Promise<CopyOrder> {
  const incoming = incomingImage(service, image, request);
  const { uuid } = incoming;
  const { account, kind } = request;
  const wanted = { account, owner: String(incoming.record.owner), sha1: incoming.file.sha1 };
  return decidingAnew(uuid, async () => {
    const local = (await currentRecord(service, uuid, { account }))?.value;
    const verb = kind === 'copy-from-dc' ? 'copy' : 'import';
    const outcome = decide(local, account, copyRequest(verb, local, wanted));
    if (outcome === 'exists') throw refusal(outcome, uuid);
    if (outcome === 'recopy') return recopy(service, request, reader.source, incoming, dryRun);
    if (dryRun) throw nothingToCompare(uuid);
    if (outcome === 'attach') return attach(service, uuid, request);
    const chain = await walkChain(service, reader, request, incoming);
    if (checkOwners) for (const { record } of chain.members) await assertOwnerExists(service, record.owner);
    return createOrder(service, request, chain);
  });
}

function nothingToCompare(uuid: string): ApiError {
  return validationFailed(
    'dry_run',
    `image "${uuid}" is not in this datacenter yet; to preview the copy, use GET /images/${uuid}/copy?plan=true`,
  );
}

/** Repeats `act` while other writes get in its way. @throws 409 Conflict */
async function decidingAnew<T>(uuid: string, act: () => Promise<T>): Promise<T> {
  try {
    return await retryOnConflict(act, { attempts: ATTEMPTS });
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
    const message = `image "${uuid}" kept changing while its copy was being ordered; try again`;
    throw new ApiError('Conflict', message, { cause });
  }
}
