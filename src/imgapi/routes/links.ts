/**
 * The routes of the link listener. All but one are for linked datacenters, which sign their requests
 * (`linkAuthentication`); pairing brings the proof of its token.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { LinkBack, LinkEcho } from '#lib/api/schemas/link.ts';
import { networkOf } from '#lib/network/addresses.ts';
import { parseAuthorization } from '#lib/signing/signature-header.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { ApiError, validationFailed } from '../../../lib/api/errors/api-error.ts';
import { acceptPairing } from '../../datacenters/links/accept-pairing.ts';
import { fingerprintIn } from '../../datacenters/links/authenticate.ts';
import { linkClient } from '../../datacenters/links/link-client.ts';
import { isLinkToken } from '../../datacenters/links/link-tokens.ts';
import { findLink, getLink } from '../../datacenters/links/links.ts';
import { endWithLink } from '../../datacenters/links/live-streams.ts';
import { ownPing, pingLink } from '../../datacenters/links/ping.ts';
import { type RateLimiter, rateLimiter } from '../../datacenters/links/rate-limit.ts';
import { acceptRotation } from '../../datacenters/links/rotate-key.ts';
import { acceptUnlink } from '../../datacenters/links/unlink-datacenter.ts';
import { isPairingRequest, isRotateRequest } from '../../datacenters/links/wire.ts';
import { foreignMessage } from '../../datacenters/sources/remote-failure.ts';
import { LinkEndedError } from '../../datacenters/sources/source.ts';
import { integer, parameters } from '../../http-kit/parameters.ts';
import { endPull } from '../../pulls/end-pull.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { BODY_LIMIT, readSignedBody, readSignedJson, readUnsignedJson } from '../signed-body.ts';
import { createLinkPullUrl, getLinkFile, getLinkIcon, getLinkImage } from './link-images.ts';

type LinkHandler = (service: Service, call: Call, datacenter: string) => Promise<Reply>;

/** Attempts a second at pairing, with one token or, of those that name none that is known, from one network. */
const PAIRINGS_PER_SECOND = 2;

/** Bytes; the largest message that is valid is below. */
const PAIRING_LIMIT = 128 * 1024;

const blobParameters = parameters({ bytes: integer(1, BODY_LIMIT) });

export function linkRoutes(service: Service): Route[] {
  const limiter = rateLimiter(service.clock, service.config.links.requestsPerSecond);
  const route = (name: string, method: 'GET' | 'POST', path: string, handler: LinkHandler): Route => ({
    name,
    method,
    path,
    auth: 'strict',
    handler: (call) => handleSigned(service, limiter, handler, call),
  });
  return [
    pairRoute(service),
    route('LinkPing', 'GET', '/link/ping', ping),
    route('LinkCheck', 'POST', '/link/check', check),
    route('LinkBlob', 'GET', '/link/blob', blob),
    route('LinkEcho', 'POST', '/link/echo', echo),
    route('LinkRotate', 'POST', '/link/rotate', rotate),
    route('LinkUnlink', 'POST', '/link/unlink', unlink),
    route('LinkGetImage', 'GET', '/link/images/:uuid', getLinkImage),
    route('LinkGetImageIcon', 'GET', '/link/images/:uuid/icon', getLinkIcon),
    route('LinkGetImageFile', 'GET', '/link/images/:uuid/file', getLinkFile),
    route('LinkCreatePullUrl', 'POST', '/link/images/:uuid/file/pull-url', createLinkPullUrl),
    route('LinkEndPull', 'POST', '/link/pulls/:reqid/end', endLinkPull),
  ];
}

async function handleSigned(service: Service, limiter: RateLimiter, handler: LinkHandler, call: Call): Promise<Reply> {
  const { datacenter } = call;
  if (datacenter === undefined)
    throw new ApiError('UnauthorizedError', 'the request is not signed by a linked datacenter');
  limiter.take(datacenter);
  const reply = await handler(service, call, datacenter);
  if (reply.stream) {
    const link = await findLink(service, datacenter);
    if (link) endWithLink(service, link.value, reply.stream);
    else reply.stream.destroy(new LinkEndedError(datacenter));
  }
  return reply;
}

function pairRoute(service: Service): Route {
  const limiter = rateLimiter(service.clock, PAIRINGS_PER_SECOND);
  return {
    name: 'LinkPair',
    method: 'POST',
    path: '/link/pair',
    auth: 'none',
    async handler(call) {
      const stranger = networkOf(call.remoteAddress);
      const request = await readUnsignedJson(call, PAIRING_LIMIT).catch((error: unknown) => {
        limiter.take(stranger);
        throw error;
      });
      // Who has a token that was made here waits for nobody who has none, wherever those come from.
      const isMeant = isPairingRequest(request) && (await isLinkToken(service, request.token));
      limiter.take(isMeant ? `token ${request.token}` : stranger);
      if (isPairingRequest(request)) return { json: await acceptPairing(service, request, call.remoteAddress) };
      throw validationFailed('token', 'a pairing message has token, party and code');
    },
  };
}

async function ping(service: Service): Promise<Reply> {
  return { json: await ownPing(service) };
}

/** Calls the caller back, by the URL that the link records. */
async function check(service: Service, call: Call, datacenter: string): Promise<Reply> {
  await readSignedBody(call);
  const { value: link } = await getLink(service, datacenter);
  let json: LinkBack;
  try {
    await pingLink(service, await linkClient(service, link), call.signal);
    json = { ok: true };
  } catch (error) {
    json = { ok: false, error: foreignMessage(error) };
  }
  return { json };
}

/** Random bytes, so that nothing on the way can make them fewer. */
async function blob(_service: Service, call: Call): Promise<Reply> {
  const { bytes = BODY_LIMIT } = blobParameters(call.query);
  const data = randomBytes(bytes);
  return {
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(bytes),
      'x-sha256': sha256Of(data),
    },
    stream: Readable.from([data]),
  };
}

async function echo(_service: Service, call: Call): Promise<Reply> {
  const body = await readSignedBody(call);
  const json: LinkEcho = { bytes: body.length, sha256: sha256Of(body) };
  return { json };
}

async function rotate(service: Service, call: Call, datacenter: string): Promise<Reply> {
  const request = await readSignedJson(call);
  if (!isRotateRequest(request))
    throw validationFailed('add', 'a rotation has add {public_key, proof} or drop [fingerprint]');
  await acceptRotation(service, datacenter, fingerprintIn(parseAuthorization(call.headers).keyId), request);
  return { json: {} };
}

/** Also of one that is gone: whoever asks again does not know that it was heard. */
async function endLinkPull(service: Service, call: Call, datacenter: string): Promise<Reply> {
  await readSignedBody(call);
  const { reqid = '' } = call.params;
  return { json: { ended: isUuid(reqid) && (await endPull(service, { reqid, datacenter })) } };
}

async function unlink(service: Service, call: Call, datacenter: string): Promise<Reply> {
  await readSignedBody(call);
  await acceptUnlink(service, datacenter);
  return { json: {} };
}

function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
