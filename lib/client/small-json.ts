/** Reads a small JSON answer from a server that is not trusted: its size and its total time are limited. */
import { timeLimit } from '../runtime/timers.ts';
import { JsonError, parseJsonText } from '../text/json.ts';
import { expectSuccess, invalidAnswer } from './answer.ts';
import { readText } from './byte-stream.ts';
import type { HttpAnswer } from './transport.ts';

/** The most bytes of an answer, if the caller does not say. */
const LIMIT = 1024 * 1024;
/** For the whole answer: an idle timeout would never end one that drips byte by byte. */
const TIMEOUT_MS = 60_000;

export interface SmallRequest {
  readonly method: 'GET' | 'POST';
  /** Path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer has to begin. */
  readonly answerTimeout?: number;
}

export interface SmallMessage extends SmallRequest {
  /** Milliseconds in which the whole answer must arrive. Default 60 s. */
  readonly timeout?: number;
  /** Of the answer. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** @throws TimeoutError; ImgapiError, `InvalidAnswer` if it is not JSON; what `send` and the signal reject with */
export async function smallJson(
  send: (request: SmallRequest) => Promise<HttpAnswer>,
  { timeout = TIMEOUT_MS, maxBytes = LIMIT, ...request }: SmallMessage,
): Promise<unknown> {
  const limit = timeLimit(timeout);
  const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
  const answer = await expectSuccess(await send({ ...request, signal }));
  const text = await readText(answer.body, maxBytes).catch((cause: unknown) => {
    throw cause instanceof RangeError || cause instanceof JsonError ? invalidAnswer(answer, cause.message) : cause;
  });
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw invalidAnswer(answer, `it is ${(cause as Error).message}`, cause);
  }
}
