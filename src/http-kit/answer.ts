/** From whatever was thrown to the answer the caller gets. */
import type Logger from 'bunyan';
import { HttpError } from '#lib/api/errors/http-error.ts';
import type { Reply } from './call.ts';

/** An answer whose text goes into the log as well when the error is a fault of ours. */
export interface ErrorReply extends Reply {
  readonly status: number;
  readonly json: { readonly message: string; readonly [field: string]: unknown };
}

/** How an API tells its clients of errors. */
export type ErrorForm = (thrown: unknown, requestId: string) => ErrorReply;

const NOT_IMPLEMENTED = 501;

/** That there is no such thing here (501) is no fault, and as little as any 4xx a reason to fill the log. */
export function answerFor(thrown: unknown, errors: ErrorForm, log: Logger, requestId: string): Reply {
  const reply = errors(thrown, requestId);
  const isFault = reply.status >= 500 && reply.status !== NOT_IMPLEMENTED;
  if (isFault) log.error({ err: thrown, req_id: requestId }, reply.json.message);
  return reply;
}

/** `{code, message, errors?}`. Of what is no HttpError the caller hears nothing but where the log has it. */
export function plainErrors(thrown: unknown, requestId: string): ErrorReply {
  if (thrown instanceof HttpError) return { status: thrown.statusCode, headers: thrown.headers, json: thrown.body() };
  const message = `an internal error occurred; its details are in the log under request id ${requestId}`;
  return { status: 500, json: { code: 'InternalError', message } };
}
