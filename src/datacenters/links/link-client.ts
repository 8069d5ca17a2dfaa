/** Signed requests to a linked datacenter. Each has its own signature, so nothing expires during a long order. */
import { expectSuccess } from '#lib/client/answer.ts';
import { type SmallMessage, type SmallRequest, smallJson } from '#lib/client/small-json.ts';
import type { HttpAnswer, HttpTransport } from '#lib/client/transport.ts';
import { linkSigner, type Signer } from '#lib/signing/signers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { namedTransport } from '../peers/transports.ts';
import { keyIdOf } from './authenticate.ts';
import type { LinkRecord, OwnKey } from './documents.ts';
import { keyForLink, ownKeys, privateKeyOf } from './own-keys.ts';
import { ownName } from './self.ts';

/** Paths are relative to the link's URL. */
export interface LinkClient {
  readonly link: LinkRecord;
  /** Resolves only to a successful answer. Rejects with ImgapiError, ImgapiUnreachableError or the signal's reason. */
  send(request: SmallRequest): Promise<HttpAnswer>;
  /** The answer's JSON. Rejects with a TimeoutError if it takes too long. */
  json(request: SmallMessage): Promise<unknown>;
}

/** Signs with the key that we know the other datacenter accepts. */
export async function linkClient(service: Service, link: LinkRecord): Promise<LinkClient> {
  return linkClientWith(service, link, keyForLink((await ownKeys(service)).value, link));
}

export function linkClientWith(service: Service, link: LinkRecord, key: OwnKey): LinkClient {
  const transport = namedTransport(link.url, service);
  const sign = linkSigner({
    key: privateKeyOf(key),
    keyId: keyIdOf(ownName(service), key.fingerprint),
    clock: service.store,
  });
  const send = async (request: SmallRequest) => expectSuccess(await sendSigned(transport, sign, request));
  return { link, send, json: (request) => smallJson(send, request) };
}

async function sendSigned(transport: HttpTransport, sign: Signer, request: SmallRequest): Promise<HttpAnswer> {
  const headers = { ...request.headers, host: transport.host, 'x-request-id': newUuid() };
  const signed = await sign({
    method: request.method,
    path: transport.basePath + request.path,
    headers,
    ...(request.body !== undefined && { body: request.body }),
  });
  return transport.send({ ...request, headers: { ...headers, ...signed } });
}
