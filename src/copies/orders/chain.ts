/**
 * The images that a copy has to bring: the image itself and its origins, down to the first one that is here.
 *
 * With policy `own` (an account copies), every missing origin that the account owns comes along; the first one that it
 * does not own or cannot read must be here already. With policy `all` (an operator imports), origins of other accounts
 * come too. Origins may be active or disabled, both here and at the source. An origin that is here counts as missing if
 * the account may not see it.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { CopyKind } from '#lib/api/schemas/copy.ts';
import { LONGEST_CHAIN } from '../../images/record/cycles.ts';
import { loadRaw } from '../../images/record/load.ts';
import { isUsableTo } from '../../images/record/references.ts';
import type { Service } from '../../service/service.ts';
import type { Hold, OrderedBy } from '../documents/model.ts';
import { type Incoming, type IncomingContext, incomingImage } from './placeholder.ts';
import type { SourceReader } from './source-reader.ts';

export interface Chain {
  /** Base first; the last one is the image that was asked for. */
  readonly members: readonly Incoming[];
  /** The first member's origin, which is here and usable; absent if that member has no origin. */
  readonly base?: string;
}

export interface ChainRequest extends IncomingContext {
  readonly kind: CopyKind;
  readonly account: string | undefined;
  /** For the log of events. */
  readonly requestId?: string | undefined;
  /** ISO date: when it is to have ended. */
  readonly finishBy?: string | undefined;
  /** Absent: somebody here orders it. */
  readonly terms?: ForeignTerms;
}

/** On whose behalf another datacenter orders a copy here, and how. */
export interface ForeignTerms {
  readonly by: OrderedBy;
  readonly hold?: Hold;
}

/** @throws 422 OriginChainTooLong, OriginIsNotActive, OriginDoesNotExist; 404 ResourceNotFound; 409 OriginMismatch */
export async function walkChain(
  service: Service,
  reader: SourceReader,
  request: ChainRequest,
  head: Incoming,
): Promise<Chain> {
  const members = [head];
  const seen = new Set([head.uuid]);
  for (let origin = head.record.origin; origin !== undefined; ) {
    assertChainGoesOn(head.uuid, seen, origin);
    seen.add(origin);
    if (await isUsableHere(service, reader, request, origin)) return { members, base: origin };
    const member = await missingOrigin(service, reader, request, origin);
    members.unshift(member);
    origin = member.record.origin;
  }
  return { members };
}

function assertChainGoesOn(uuid: string, seen: ReadonlySet<string>, origin: string): void {
  if (seen.has(origin)) {
    throw new ApiError('OriginChainTooLong', `the origins of image "${uuid}" form a cycle at "${origin}"`);
  }
  if (seen.size >= LONGEST_CHAIN) {
    throw new ApiError('OriginChainTooLong', `image "${uuid}" has more than ${LONGEST_CHAIN - 1} origins`);
  }
}

async function isUsableHere(
  service: Service,
  reader: SourceReader,
  { account }: ChainRequest,
  origin: string,
): Promise<boolean> {
  const local = (await loadRaw(service, origin))?.value;
  if (!local || !(await isUsableTo(service, local, { account }))) return false;
  const here = local.files?.[0]?.sha1;
  // If the origin cannot be read at the source, there is nothing to compare it with.
  const there = (await reader.find(origin))?.files[0]?.sha1;
  if (here === undefined || there === undefined || here === there) return true;
  throw new ApiError(
    'OriginMismatch',
    `origin "${origin}" has sha1 ${here} here but ${there} in datacenter "${reader.source.name}"`,
  );
}

async function missingOrigin(
  service: Service,
  reader: SourceReader,
  request: ChainRequest,
  origin: string,
): Promise<Incoming> {
  const image = await reader.find(origin);
  const isOwn = image !== undefined && image.manifest['owner'] === request.account;
  if (!image || (request.policy === 'own' && !isOwn)) throw foreignOrigin(request, origin);
  const { state } = image.manifest;
  if (state !== 'active' && state !== 'disabled') {
    const where = `in datacenter "${reader.source.name}"`;
    throw new ApiError(
      'OriginIsNotActive',
      `origin "${origin}" is ${String(state)} ${where}; it must be active or disabled`,
    );
  }
  return incomingImage(service, image, request);
}

/** For an origin that cannot be copied along and that is missing here, or that the caller may not see. */
export function foreignOrigin({ kind, source }: Pick<ChainRequest, 'kind' | 'source'>, origin: string): ApiError {
  const message = `origin "${origin}" is not in this datacenter and cannot be copied from datacenter "${source}"`;
  if (kind === 'import-from-datacenter') {
    return new ApiError('ResourceNotFound', `${message}: it belongs to another account; ask an operator to import it`);
  }
  if (kind === 'import-remote') return new ApiError('RemoteSourceError', `origin "${origin}" not found at "${source}"`);
  return new ApiError('OriginDoesNotExist', `${message}: it belongs to another account, or does not exist there`);
}
