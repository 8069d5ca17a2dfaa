/**
 * How much of the long work one listener of this process does at a time. What is beyond is refused at once, with a time to
 * come again, so that there is always room for short requests: whoever is under load can still say so.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { LINKS } from '#lib/api/imgapi/links.ts';
import type { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { type RateLimiter, rateLimiter } from '../datacenters/links/rate-limit.ts';
import { RateLimited } from '../http-kit/rate-limited.ts';
import type { LimitsConfig } from '../service/config/config.ts';
import type { Service } from '../service/service.ts';
import type { Call, Handler } from './call.ts';

type Kind = keyof Pick<LimitsConfig, 'uploads' | 'downloads' | 'lists' | 'copies'>;
type Names = keyof typeof IMGAPI | keyof typeof LINKS;

/** What takes as long as its client, or much work. Everything else is short. */
const KINDS: Readonly<Partial<Record<Names, Kind>>> = {
  AddImageFile: 'uploads',
  AddImageFileFromUrl: 'uploads',
  GetImageFile: 'downloads',
  GetPullLink: 'downloads',
  LinkGetImageFile: 'downloads',
  LinkGetImageFilePieces: 'downloads',
  ListImages: 'lists',
  ListCopies: 'lists',
  ListFanOuts: 'lists',
  CopyImageFromDc: 'copies',
  CopyImageToDcs: 'copies',
  ImportImageFromDatacenter: 'copies',
  AdminImportRemoteImage: 'copies',
  CloneImage: 'copies',
  ExportImage: 'copies',
  AdminChangeImageStor: 'copies',
};

const WHAT: Readonly<Record<Kind, string>> = {
  uploads: 'uploads',
  downloads: 'downloads',
  lists: 'lists',
  copies: 'copies and clones',
};

const LONG_ANSWERS: ReadonlySet<Kind> = new Set(['downloads', 'lists']);

/** Seconds after which a client that was refused may come again. */
const COME_AGAIN = 5;

/** For one listener. */
export function admission(service: Service): (handler: Handler, row: Operation, name: string) => Handler {
  const { limits } = service.config;
  const rate = limits.accountRequestsPerSecond;
  const accounts = rate > 0 ? rateLimiter(service.clock, rate) : undefined;
  const places = new Places(service);
  return (handler, { auth }, name) => {
    const kind = KINDS[name as Names];
    const counted = kind === undefined ? handler : within(places, kind, handler);
    return accounts && auth !== 'none' ? paced(accounts, counted) : counted;
  };
}

function within(places: Places, kind: Kind, handler: Handler): Handler {
  return (call) => {
    const leave = places.take(kind);
    // A long answer is made while it is sent, and the work may go on for a moment after its reader has left.
    let left = LONG_ANSWERS.has(kind) ? 2 : 1;
    const done = (): void => {
      left -= 1;
      if (left === 0) leave();
    };
    if (left === 2) call.onClose(done);
    let isLater = false;
    try {
      const reply = handler(call);
      isLater = reply instanceof Promise;
      return reply instanceof Promise ? reply.finally(done) : reply;
    } finally {
      if (!isLater) done();
    }
  };
}

class Places {
  readonly #limits: LimitsConfig;
  readonly #taken = new Map<Kind, number>();
  readonly #refusals: RateLimited;

  constructor({ config, log }: Service) {
    this.#limits = config.limits;
    this.#refusals = new RateLimited((fields) =>
      log.warn(fields, 'refused requests: too many of their kind are under way'),
    );
  }

  /** Returns the function that gives the place back. @throws 503 ServerBusy */
  take(kind: Kind): () => void {
    const taken = this.#taken.get(kind) ?? 0;
    const most = this.#limits[kind];
    if (taken >= most) {
      this.#refusals.note({ kind, under_way: taken });
      throw new ApiError('ServerBusy', `${most} ${WHAT[kind]} are under way here; come again in ${COME_AGAIN} s`, {
        headers: { 'Retry-After': String(COME_AGAIN) },
      });
    }
    this.#taken.set(kind, taken + 1);
    return () => this.#taken.set(kind, (this.#taken.get(kind) ?? 1) - 1);
  }
}

/** Each account has requests of its own; operators have no limit. */
function paced(limiter: RateLimiter, handler: Handler): Handler {
  return (call) => {
    const account = accountOf(call);
    if (account !== undefined) limiter.take(account);
    return handler(call);
  };
}

/** What is no account is refused by the operation, in its turn. */
function accountOf(call: Call): string | undefined {
  try {
    return call.account;
  } catch {
    return undefined;
  }
}
