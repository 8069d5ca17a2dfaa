/**
 * How much of the long work one listener of this process does at a time, and for one caller. What is beyond is refused at
 * once, with a time to come again, so that there is always room for short requests: whoever is under load can still say so.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { LINKS } from '#lib/api/imgapi/links.ts';
import type { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { type RateLimiter, rateLimiter } from '../datacenters/links/rate-limit.ts';
import { heldWhileServed } from '../http-kit/held-while-served.ts';
import { wantsLines } from '../http-kit/json-lines.ts';
import { type Claimant, type NoPlace, Places } from '../http-kit/places.ts';
import { RateLimited } from '../http-kit/rate-limited.ts';
import type { LimitsConfig } from '../service/config/config.ts';
import type { Service } from '../service/service.ts';
import type { Call, Handler } from './call.ts';
import { accountOf, claimantOf } from './claimant.ts';

type Kind = keyof Pick<LimitsConfig, 'uploads' | 'downloads' | 'lists' | 'copies' | 'watches' | 'plans'>;
type Names = keyof typeof IMGAPI | keyof typeof LINKS;

/** The kinds of one request: mostly one, none for what is short. */
type KindsOf = (call: Call) => readonly Kind[];

const always =
  (...kinds: readonly Kind[]): KindsOf =>
  () =>
    kinds;

/**
 * What takes as long as its client, or as another datacenter, or much work. Everything else is short, but for GetPullLink,
 * which takes its place itself, once it knows for whom.
 */
const KINDS: Readonly<Partial<Record<Names, KindsOf>>> = {
  AddImageFile: always('uploads'),
  AddImageFileFromUrl: always('uploads'),
  AppendImageUpload: always('uploads'),
  GetImageFile: always('downloads'),
  LinkGetImageFile: always('downloads'),
  LinkGetImageFilePieces: always('downloads'),
  ListImages: always('lists'),
  ListCopies: (call) => (wantsLines(call) ? ['watches'] : ['lists']),
  ListFanOuts: always('lists'),
  // All images of an account are counted.
  GetQuota: always('lists'),
  ListQuotas: always('lists'),
  CopyImageFromDc: (call) => (wantsLines(call) ? ['copies', 'watches'] : ['copies']),
  CopyImageToDcs: always('copies'),
  ImportImageFromDatacenter: always('copies'),
  AdminImportRemoteImage: always('copies'),
  // VMAPI and CNAPI are asked before it is answered.
  CreateImageFromVm: always('copies'),
  CloneImage: always('copies'),
  ExportImage: always('copies'),
  AdminChangeImageStor: always('copies'),
  GetImageUsage: always('plans'),
  GetImageCopy(call) {
    if (call.query['plan'] === 'true') return ['plans'];
    return wantsLines(call) ? ['watches'] : [];
  },
};

const WHAT: Readonly<Record<Kind, string>> = {
  uploads: 'uploads',
  downloads: 'downloads',
  lists: 'lists and counts',
  copies: 'copies and clones',
  watches: 'watched copies',
  plans: 'plans of copies',
};

const LONG_ANSWERS: ReadonlySet<Kind> = new Set(['downloads', 'lists', 'watches']);

/** Seconds after which a client that was refused may come again. */
const COME_AGAIN = 5;

/** For one listener. @param gate the listener's */
export function admission(service: Service, gate: Gate): (handler: Handler, row: Operation, name: string) => Handler {
  const { limits } = service.config;
  const rate = limits.accountRequestsPerSecond;
  const accounts = rate > 0 ? rateLimiter(service.clock, rate) : undefined;
  const claimant = claimantOf(service);
  return (handler, { auth }, name) => {
    const kindsOf = KINDS[name as Names];
    const counted = kindsOf ? within(gate, kindsOf, (call) => claimant(call, auth === 'none'), handler) : handler;
    return accounts && auth !== 'none' ? paced(accounts, counted) : counted;
  };
}

function within(gate: Gate, kindsOf: KindsOf, claimant: (call: Call) => Claimant, handler: Handler): Handler {
  const inPlace = (kind: Kind, inner: Handler): Handler =>
    heldWhileServed(inner, (call) => ({
      leave: gate.take(kind, claimant(call)),
      untilAnswered: LONG_ANSWERS.has(kind),
    }));
  const wrapped = new Map<string, Handler>([['', handler]]);
  return (call) => {
    const kinds = kindsOf(call);
    const name = kinds.join();
    let known = wrapped.get(name);
    if (!known) {
      known = kinds.reduce((inner, kind) => inPlace(kind, inner), handler);
      wrapped.set(name, known);
    }
    return known(call);
  };
}

/** The places of one listener. */
export class Gate {
  readonly #limits: LimitsConfig;
  readonly #places: Readonly<Record<Kind, Places>>;
  readonly #refusals: RateLimited;

  /** @param reserve places of each kind that only operators get */
  constructor({ config, log }: Service, reserve: number) {
    const { limits } = config;
    this.#limits = limits;
    const placesFor = (kind: Kind): Places => new Places({ most: limits[kind], share: limits.share, reserve });
    const kinds = Object.keys(WHAT) as Kind[];
    this.#places = Object.fromEntries(kinds.map((kind) => [kind, placesFor(kind)])) as Record<Kind, Places>;
    this.#refusals = new RateLimited((fields) =>
      log.warn(fields, 'refused requests: too many of their kind are under way'),
    );
  }

  /** Returns the function that gives the place back. @throws 503 ServerBusy, 429 TooManyRequests */
  take(kind: Kind, claimant: Claimant): () => void {
    const taken = this.#places[kind].take(claimant);
    if (typeof taken === 'function') return taken;
    this.#refusals.note({ kind, under_way: taken.taken, of: claimant.key });
    throw this.#refusal(kind, taken, claimant);
  }

  #refusal(kind: Kind, { of, taken }: NoPlace, { key }: Claimant): ApiError {
    const headers = { 'Retry-After': String(COME_AGAIN) };
    const what = WHAT[kind];
    return of === 'all'
      ? new ApiError('ServerBusy', `${taken} ${what} are under way here; come again in ${COME_AGAIN} s`, { headers })
      : new ApiError(
          'TooManyRequests',
          `${taken} ${what} for ${key} are under way here, its share of ${this.#limits[kind]}; come again in ${COME_AGAIN} s`,
          { headers },
        );
  }
}

/**
 * Each account has requests of its own; operators have no limit. What a linked datacenter asks in the name of an account
 * counts for the two of them together: its word must not use up what the account has elsewhere.
 */
function paced(limiter: RateLimiter, handler: Handler): Handler {
  return (call) => {
    const account = accountOf(call);
    const { datacenter } = call;
    if (account !== undefined) limiter.take(datacenter === undefined ? account : `${account} in ${datacenter}`);
    return handler(call);
  };
}
