/** Signed requests to a linked datacenter. Each is signed anew, so an order may outlive any token. */
import { expectSuccess } from '#lib/client/answer.ts';
import { type SmallMessage, type SmallRequest, smallJson } from '#lib/client/small-json.ts';
import type { HttpAnswer, HttpTransport } from '#lib/client/transport.ts';
import { parsePrivateKey } from '#lib/signing/keys.ts';
import { linkSigner, type Signer } from '#lib/signing/signers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { namedTransport } from '../peers/transports.ts';
import { keyIdOf } from './authenticate.ts';
import type { LinkRecord, OwnKey } from './documents.ts';
import { keyForLink, ownKeys } from './own-keys.ts';
import { ownName } from './self.ts';

/** Paths go below the link's URL. */
export interface LinkClient {
  readonly link: LinkRecord;
  /** An answer of success. Rejects with ImgapiError, ImgapiUnreachableError or the signal's reason. */
  send(request: SmallRequest): Promise<HttpAnswer>;
  /** Its JSON. Rejects with a TimeoutError when it is not here in time. */
  json(request: SmallMessage): Promise<unknown>;
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
