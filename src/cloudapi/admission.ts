/**
 * How many copies are followed at a time, and for one account: each holds a connection here, and one to IMGAPI. What is
 * beyond is refused at once, so that there is always a way in for all else.
 */
import type { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Handler } from '../http-kit/call.ts';
import { heldWhileServed } from '../http-kit/held-while-served.ts';
import { wantsLines } from '../http-kit/json-lines.ts';
import { Places } from '../http-kit/places.ts';
import { RateLimited } from '../http-kit/rate-limited.ts';
import type { Call } from './call.ts';
import type { Cloudapi } from './service.ts';

type Kind = 'watches' | 'plans';

const WHAT: Readonly<Record<Kind, string>> = { watches: 'watched copies', plans: 'plans of copies' };

/** Undefined for what is short, or what IMGAPI has its own places for. */
const KINDS: Readonly<Partial<Record<keyof typeof CLOUDAPI, (call: Call) => Kind | undefined>>> = {
  GetImageCopy(call) {
    if (call.parameters['plan'] === 'true') return 'plans';
    return wantsLines(call) ? 'watches' : undefined;
  },
  CopyImageFromDc: (call) => (wantsLines(call) ? 'watches' : undefined),
  // It answers when the image is here.
  ImportImageFromDatacenter: () => 'watches',
};

/** Seconds after which a client that was refused may come again. */
const COME_AGAIN = 5;

/** The handler is called for an account that is known. */
export function admission({ config, log }: Cloudapi): (handler: Handler<Call>, name: string) => Handler<Call> {
  const { limits } = config;
  const placesFor = (most: number): Places => new Places({ most, share: limits.share, reserve: 0 });
  const places = { watches: placesFor(limits.watches), plans: placesFor(limits.plans) };
  const refusals = new RateLimited((fields) =>
    log.warn(fields, 'refused requests: too many of their kind are under way'),
  );
  const take = (kind: Kind, { login, uuid }: Call['account']): (() => void) => {
    const taken = places[kind].take({ key: uuid, isOperator: false });
    if (typeof taken === 'function') return taken;
    refusals.note({ kind, under_way: taken.taken, of: login });
    const headers = { 'Retry-After': String(COME_AGAIN) };
    const wait = `come again in ${COME_AGAIN} s`;
    throw taken.of === 'all'
      ? new ApiError('ServerBusy', `${taken.taken} ${WHAT[kind]} are under way here; ${wait}`, { headers })
      : new ApiError('TooManyRequests', `${taken.taken} ${WHAT[kind]} of ${login} are under way here; ${wait}`, {
          headers,
        });
  };
  return (handler, name) => {
    const kindOf = KINDS[name as keyof typeof CLOUDAPI];
    if (!kindOf) return handler;
    const held = (kind: Kind): Handler<Call> =>
      heldWhileServed(handler, (call) => ({
        leave: take(kind, call.account),
        untilAnswered: kind === 'watches',
      }));
    const holding = { watches: held('watches'), plans: held('plans') };
    return (call) => {
      const kind = kindOf(call);
      return kind === undefined ? handler(call) : holding[kind](call);
    };
  };
}
