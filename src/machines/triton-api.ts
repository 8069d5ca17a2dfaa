/** A service of Triton that the configuration names, such as VMAPI: JSON, unsigned, over the network that it trusts. */
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { smallJson } from '#lib/client/small-json.ts';
import { isObject } from '#lib/manifest/fields.ts';
import type { Guarded } from '../datacenters/peers/address-guard.ts';
import { isTimeout } from '../datacenters/peers/remote-failure.ts';
import { namedTransport } from '../datacenters/peers/transports.ts';

/** A node with a thousand machines is described by a megabyte or so. */
const MOST_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

export interface TritonCall {
  readonly requestId: string;
  readonly signal: AbortSignal;
}

type Fields = Readonly<Record<string, unknown>>;

export class TritonApi {
  readonly #service: Guarded;
  readonly #url: string;

  constructor(service: Guarded, url: string) {
    this.#service = service;
    this.#url = url;
  }

  /** @throws ImgapiError with its status and code, also if the answer is no JSON object; ImgapiUnreachableError; TimeoutError */
  async get(path: string, call: TritonCall): Promise<Fields> {
    return fieldsOf(await this.#send('GET', path, undefined, call));
  }

  /** What is no array is an empty one. @throws as `get` */
  async list(path: string, call: TritonCall): Promise<readonly unknown[]> {
    const answer = await this.#send('GET', path, undefined, call);
    return Array.isArray(answer) ? answer : [];
  }

  /** @throws as `get` */
  async post(path: string, body: object, call: TritonCall): Promise<Fields> {
    return fieldsOf(await this.#send('POST', path, JSON.stringify(body), call));
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    { requestId, signal }: TritonCall,
  ): Promise<unknown> {
    const transport = namedTransport(this.#url, this.#service);
    const headers = {
      accept: 'application/json',
      'user-agent': this.#service.config.serverName,
      'x-request-id': requestId,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    return smallJson((message) => transport.send(message), {
      method,
      path,
      headers,
      signal,
      timeout: TIMEOUT_MS,
      maxBytes: MOST_BYTES,
      ...(body !== undefined && { body }),
    });
  }
}

/** What is not there has no fields; whoever reads one says what is missing. */
function fieldsOf(answer: unknown): Fields {
  return isObject(answer) ? answer : {};
}

/** Whether an error is about the other service, or the way to it. */
export function isRemote(error: unknown): boolean {
  return (
    error instanceof ImgapiError ||
    error instanceof ImgapiUnreachableError ||
    error instanceof AddressRefusedError ||
    isTimeout(error)
  );
}

/** Whether the other service certainly has not heard the request, or was not able to take it. */
export function isUnheard(error: unknown): boolean {
  if (error instanceof AddressRefusedError) return true;
  if (error instanceof ImgapiError) return error.statusCode === 503;
  return error instanceof ImgapiUnreachableError && ['connect', 'connect-timeout'].includes(error.fault);
}

/** Whether the other service has answered that it will not do it. */
export function isRefusal(error: unknown): error is ImgapiError {
  return error instanceof ImgapiError && error.statusCode >= 400;
}
