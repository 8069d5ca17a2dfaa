/** Turns an HTTP answer into a value or an ImgapiError. */

import type { ErrorBody } from '../api/schemas/error.ts';
import { startTimer } from '../runtime/timers.ts';
import { cutText } from '../text/cut-text.ts';
import { JsonError, parseJsonText } from '../text/json.ts';
import { redact } from '../text/redact.ts';
import { readText } from './byte-stream.ts';
import { ImgapiError, type ImgapiFieldError, ImgapiUnreachableError } from './errors.ts';
import type { HttpAnswer } from './transport.ts';
import { unreachable } from './transport-fault.ts';

/** Bytes of a JSON answer. A list of a hundred thousand images is well below this. */
const JSON_LIMIT = 256 * 1024 * 1024;
/** For the whole of it: an idle timeout would never end one that drips byte by byte. */
const JSON_TIMEOUT_MS = 600_000;
const ERROR_LIMIT = 1024 * 1024;
/** For the whole body of an error. */
const ERROR_TIMEOUT_MS = 10_000;
/** Of these an error keeps what was answered: they say what would have been right. */
const TELLING_HEADERS = ['upload-offset', 'accept-patch', 'content-range', 'www-authenticate'] as const;
/** Bytes of each. */
const LONGEST_HEADER = 200;
/** Characters that an error repeats of a body that is not JSON. */
const EXCERPT = 200;

/** Passes on an answer with a 2xx status; @throws ImgapiError for any other */
export async function expectSuccess(answer: HttpAnswer): Promise<HttpAnswer> {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw await toError(answer);
}

/**
 * The JSON body, which must arrive within `timeout` milliseconds.
 * @throws ImgapiError `InvalidAnswer` if it is not JSON; ImgapiUnreachableError
 */
export async function readJson(answer: HttpAnswer, timeout: number = JSON_TIMEOUT_MS): Promise<unknown> {
  let text: string;
  try {
    text = await textOf(answer, JSON_LIMIT, timeout);
  } catch (cause) {
    if (cause instanceof RangeError) throw invalidAnswer(answer, cause.message);
    if (cause instanceof JsonError) throw invalidAnswer(answer, `it is ${cause.message}`, cause);
    throw cause;
  }
  try {
    return parseJsonText(text);
  } catch (cause) {
    const why = cause instanceof JsonError && !(cause.cause instanceof SyntaxError) ? cause.message : 'not JSON';
    throw invalidAnswer(answer, `it is ${why}: ${excerptOf(text)}`, cause);
  }
}

export function invalidAnswer(answer: HttpAnswer, why: string, cause?: unknown): ImgapiError {
  answer.body.destroy();
  return new ImgapiError(`the answer of ${answer.url} (status ${answer.status}) is not what was asked for: ${why}`, {
    code: 'InvalidAnswer',
    statusCode: answer.status,
    ...requestIdOf(answer),
    ...(cause !== undefined && { cause }),
  });
}

async function toError(answer: HttpAnswer): Promise<ImgapiError> {
  const { status, url } = answer;
  const common = { statusCode: status, ...requestIdOf(answer), ...retryAfterOf(answer) };
  if (status >= 300 && status < 400) {
    answer.body.destroy();
    const location = answer.headers['location'] ?? 'nowhere';
    return new ImgapiError(`${url} redirects to ${location}; redirects are not followed`, {
      ...common,
      code: 'Redirect',
    });
  }
  const text = await readErrorText(answer);
  const body = parseErrorBody(text);
  return new ImgapiError(body.message ?? `${url} answered ${status}${text === '' ? '' : `: ${excerptOf(text)}`}`, {
    ...common,
    code: body.code ?? `Http${status}`,
    ...(body.errors && { errors: body.errors }),
    headers: tellingHeaders(answer),
  });
}

/** Empty if the body does not arrive whole, or soon: the status alone still makes an error. */
async function readErrorText(answer: HttpAnswer): Promise<string> {
  try {
    return await textOf(answer, ERROR_LIMIT, ERROR_TIMEOUT_MS);
  } catch (cause) {
    const isBroken =
      cause instanceof RangeError || cause instanceof JsonError || cause instanceof ImgapiUnreachableError;
    if (isBroken) return '';
    throw cause;
  }
}

/** One that drips byte by byte would hold the call, for which no other limit may have been set, for ever. */
async function textOf({ body, url }: HttpAnswer, mostBytes: number, timeout: number): Promise<string> {
  const limit = startTimer(() => body.destroy(unreachable('idle-timeout', url)), timeout);
  try {
    return await readText(body, mostBytes);
  } finally {
    limit.stop();
  }
}

function parseErrorBody(text: string): Partial<ErrorBody> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const { code, message, errors } = value as Record<string, unknown>;
  return {
    ...(typeof code === 'string' && code !== '' && { code }),
    ...(typeof message === 'string' && message !== '' && { message }),
    ...(Array.isArray(errors) && { errors: errors.filter(isFieldError) }),
  };
}

function isFieldError(value: unknown): value is ImgapiFieldError {
  const { field, code } = (value ?? {}) as Record<string, unknown>;
  return typeof field === 'string' && typeof code === 'string';
}

function requestIdOf({ headers }: HttpAnswer): { requestId?: string } {
  const requestId = headers['x-request-id'] ?? headers['request-id'];
  return { ...(requestId !== undefined && { requestId }) };
}

function retryAfterOf({ headers }: HttpAnswer): { retryAfter?: number } {
  const seconds = headers['retry-after'];
  return { ...(seconds !== undefined && /^\d{1,6}$/.test(seconds) && { retryAfter: Number(seconds) }) };
}

function tellingHeaders({ headers }: HttpAnswer): Record<string, string> {
  return Object.fromEntries(
    TELLING_HEADERS.flatMap((name) =>
      headers[name] === undefined ? [] : [[name, cutText(headers[name], LONGEST_HEADER)]],
    ),
  );
}

function excerptOf(text: string): string {
  const line = redact(text.replace(/\s+/g, ' ').trim());
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}
