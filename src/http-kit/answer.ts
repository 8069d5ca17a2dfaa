/** Turns whatever was thrown into the answer that the caller gets. */
import type Logger from 'bunyan';
import { HttpError } from '#lib/api/errors/http-error.ts';
import type { Reply } from './call.ts';
import { tellsOfOutage } from './outages.ts';

/** The answer to an error. Its message also goes into the log when the fault is ours. */
export interface ErrorReply extends Reply {
  readonly status: number;
  readonly json: { readonly message: string; readonly [field: string]: unknown };
  /** What the log says instead of the message: what the operator has to do is not for callers. */
  readonly logged?: string;
}

/** How an API reports errors to its clients. */
export type ErrorForm = (thrown: unknown, requestId: string) => ErrorReply;

const NOT_IMPLEMENTED = 501;
/** Something that this service needs is away: no fault of the request, and the same for all. */
const AWAY = 503;

/** Logs faults of ours. A 501 is not one: like any 4xx, it is no reason to fill the log. */
export function answerFor(thrown: unknown, errors: ErrorForm, log: Logger, requestId: string): Reply {
  const { logged, ...reply } = errors(thrown, requestId);
  const isFault = reply.status >= 500 && reply.status !== NOT_IMPLEMENTED;
  const alike = isFault && reply.status === AWAY ? tellsOfOutage(log, thrown) : 0;
  if (isFault && alike !== undefined) {
    log.error({ err: thrown, req_id: requestId, ...(alike > 0 && { alike }) }, logged ?? reply.json.message);
  }
  return reply;
}

/** `{code, message, errors?}`. For anything but an HttpError the caller learns only where to find it in the log. */
export function plainErrors(thrown: unknown, requestId: string): ErrorReply {
  if (thrown instanceof HttpError) return { status: thrown.statusCode, headers: thrown.headers, json: thrown.body() };
  const message = `an internal error occurred; its details are in the log under request id ${requestId}`;
  return { status: 500, json: { code: 'InternalError', message } };
}
