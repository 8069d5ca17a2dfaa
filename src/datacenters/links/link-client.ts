/** Signed requests to a linked datacenter. Each is signed anew, so an order may outlive any token. */
import { randomUUID } from 'node:crypto';
import { expectSuccess, invalidAnswer } from '#lib/client/answer.ts';
import { readText } from '#lib/client/byte-stream.ts';
import type { HttpAnswer, HttpTransport } from '#lib/client/transport.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { parsePrivateKey } from '#lib/signing/keys.ts';
import { linkSigner, type Signer } from '#lib/signing/signers.ts';
import { JsonError, parseJsonText } from '#lib/text/json.ts';
import type { Service } from '../../service/service.ts';
import { namedTransport } from '../sources/transports.ts';
import { keyIdOf } from './authenticate.ts';
import type { LinkRecord, OwnKey } from './documents.ts';
import { keyForLink, ownKeys } from './own-keys.ts';
import { ownName } from './self.ts';

/** Bytes of a JSON answer that are read. */
const JSON_LIMIT = 1024 * 1024;
/** Until the whole of it is here: one that drips byte by byte never falls silent. */
const JSON_TIMEOUT_MS = 60_000;

export interface LinkRequest {
  readonly method: 'GET' | 'POST';
  /** Path with query, below the link's URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface LinkMessage extends LinkRequest {
  /** Milliseconds until the whole answer is here. Default 60 s. */
  readonly timeout?: number;
}

export interface LinkClient {
  readonly link: LinkRecord;
  /** An answer of success. Rejects with ImgapiError, ImgapiUnreachableError or the signal's reason. */
  send(request: LinkRequest): Promise<HttpAnswer>;
  /** Its JSON. Rejects with a TimeoutError when it is not here in time. */
  json(request: LinkMessage): Promise<unknown>;
}

/** Signs with the key of ours that the other is known to accept. */
export async function linkClient(service: Service, link: LinkRecord): Promise<LinkClient> {
  return linkClientWith(service, link, keyForLink((await ownKeys(service)).value, link));
}

export function linkClientWith(service: Service, link: LinkRecord, key: OwnKey): LinkClient {
  const transport = namedTransport(link.url, service);
  const sign = linkSigner({
    key: parsePrivateKey(key.privateKey),
    keyId: keyIdOf(ownName(service), key.fingerprint),
    clock: service.storeClock,
  });
  const send = async (request: LinkRequest) => expectSuccess(await sendSigned(transport, sign, request));
  return { link, send, json: (request) => smallJson(send, request) };
}

/**
 * The JSON of an answer, all of it in time. @param send rejects when the answer is none of success
 * @throws TimeoutError, ImgapiError `InvalidAnswer`, and what `send` and the signal do
 */
export async function smallJson(
  send: (request: LinkRequest) => Promise<HttpAnswer>,
  { timeout = JSON_TIMEOUT_MS, ...request }: LinkMessage,
): Promise<unknown> {
  const limit = timeLimit(timeout);
  const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
  return readSmallJson(await send({ ...request, signal }));
}

async function sendSigned(transport: HttpTransport, sign: Signer, request: LinkRequest): Promise<HttpAnswer> {
  const headers = { ...request.headers, host: transport.host, 'x-request-id': randomUUID() };
  const signed = await sign({
    method: request.method,
    path: transport.basePath + request.path,
    headers,
    ...(request.body !== undefined && { body: request.body }),
  });
  return transport.send({ ...request, headers: { ...headers, ...signed } });
}

/** At most 1 MiB of it. @throws ImgapiError `InvalidAnswer` */
export async function readSmallJson(answer: HttpAnswer): Promise<unknown> {
  const text = await readText(answer.body, JSON_LIMIT).catch((cause: unknown) => {
    throw cause instanceof RangeError || cause instanceof JsonError ? invalidAnswer(answer, cause.message) : cause;
  });
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw invalidAnswer(answer, `it is ${(cause as Error).message}`, cause);
  }
}
