/** A request as the handlers see it: who asks, in which version, with which parameters. */

import type { CallOptions } from '#lib/client/caller.ts';
import { isJson, mediaType } from '#lib/text/media-types.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Reply } from '../http-kit/call.ts';
import { type Principal, principalOf } from './authenticate.ts';
import type { Call, Route } from './call.ts';
import { CloudapiError, imageNotFound, invalid, versionNotServed } from './errors.ts';
import type { Cloudapi } from './service.ts';
import type { CloudapiVersion } from './versions.ts';

export interface Request extends Principal {
  readonly call: Call;
  readonly cloudapi: Cloudapi;
  readonly version: CloudapiVersion;
  /** For a call of IMGAPI on behalf of the account. */
  readonly onBehalf: CallOptions;
}

export type Handler = (request: Request) => Promise<Reply>;

export interface CloudapiRoute extends Pick<Route, 'name' | 'method' | 'path'> {
  readonly handler: Handler;
}

/** A route of the HTTP server, which has authenticated the call: it acts for the account of its path. */
export function mounted(cloudapi: Cloudapi, route: CloudapiRoute): Route {
  async function handler(call: Call): Promise<Reply> {
    const principal = await principalOf(cloudapi, call);
    const { version } = call;
    if (version === undefined) throw versionNotServed(call.headers);
    const { account } = principal;
    const onBehalf = { account: account.uuid, requestId: call.requestId, signal: call.signal };
    const reply = await route.handler({ ...principal, call, cloudapi, version, onBehalf }).catch((error: unknown) => {
      if (call.signal.aborted) throw new CloudapiError('ClientGone', 'the client is gone', { cause: error });
      throw error;
    });
    return { ...reply, headers: { 'Api-Version': version, 'Request-Id': call.requestId, ...reply.headers } };
  }
  return { name: route.name, method: route.method, path: route.path, isOpen: false, handler };
}

/** For a call of IMGAPI as the operator. */
export function asOperator({ call }: Request): CallOptions {
  return { requestId: call.requestId, signal: call.signal };
}

/** The image of the path. @throws 404 */
export function imageId({ call }: Request): string {
  const { id = '' } = call.params;
  if (isUuid(id)) return id;
  throw imageNotFound(id);
}

export type Parameters = Readonly<Record<string, unknown>>;

/** Parameters come in the query, in a JSON body, or in both: the query wins. @throws 400, 409, 413, 415 */
export async function parametersOf({ call }: Request): Promise<Parameters> {
  const body = (await call.json()) ?? {};
  assertTaken(call);
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid('body', body, 'a JSON object');
  return { ...body, ...call.query };
}

function assertTaken({ headers }: Call): void {
  const type = headers['content-type'];
  if (type === undefined || isJson(mediaType(type) ?? '')) return;
  if (headers['content-length'] === '0' || !(headers['content-length'] ?? headers['transfer-encoding'])) return;
  throw new CloudapiError('UnsupportedMediaType', `Content-Type is "${type}"; send application/json`);
}

/** @throws 409 InvalidArgument */
export function optionalText(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalid(name, value, 'one string');
}

/** @throws 409 InvalidArgument */
export function optionalFlag(parameters: Parameters, name: string): boolean | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(name, value, 'true or false');
}
