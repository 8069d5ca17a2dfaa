/**
 * The handlers of the link listener. All but one are for linked datacenters, which sign their requests
 * (`linkAuthentication`); pairing brings the proof of its token.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { LINK_BODY_LIMIT, type LINKS } from '#lib/api/imgapi/links.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { LinkBack, LinkEcho } from '#lib/api/schemas/link.ts';
import { networkOf } from '#lib/network/addresses.ts';
import { parseAuthorization } from '#lib/signing/signature-header.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { CopyWorker } from '../../copies/transfer/worker.ts';
import { acceptPairing } from '../../datacenters/links/accept-pairing.ts';
import { fingerprintIn } from '../../datacenters/links/authenticate.ts';
import { linkClient } from '../../datacenters/links/link-client.ts';
import { isLinkToken } from '../../datacenters/links/link-tokens.ts';
import { findLink, getLink } from '../../datacenters/links/links.ts';
import { endWithLink } from '../../datacenters/links/live-streams.ts';
import { ownPing, pingLink } from '../../datacenters/links/ping.ts';
import { rateLimiter } from '../../datacenters/links/rate-limit.ts';
import { acceptRotation } from '../../datacenters/links/rotate-key.ts';
import { sharedRateLimiter } from '../../datacenters/links/shared-rate-limit.ts';
import { acceptUnlink } from '../../datacenters/links/unlink-datacenter.ts';
import { LinkEndedError } from '../../datacenters/peers/errors.ts';
import { foreignMessage } from '../../datacenters/peers/remote-failure.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { PullNotes } from '../../pulls/pull-events.ts';
import { endPull } from '../../pulls/pull-link.ts';
import type { Service } from '../../service/service.ts';
import type { Gate } from '../admission.ts';
import type { Call, Handler } from '../call.ts';
import { readSignedBody } from '../signed-body.ts';
import { linkCopyHandlers } from './link-copies.ts';
import { createLinkPullUrl, getLinkFile, getLinkIcon, getLinkImage, getLinkPieces, signerOf } from './link-images.ts';
import { pullLinkHandlers } from './pulls.ts';

/** Pairing attempts per second with one token, or from one network with unknown tokens. */
const PAIRINGS_PER_SECOND = 2;

export function linkHandlers(
  service: Service,
  worker: Pick<CopyWorker, 'nudge'>,
  gate: Pick<Gate, 'take'>,
): Handlers<typeof LINKS, Call> {
  const pairings = rateLimiter(service.clock, PAIRINGS_PER_SECOND);
  const notes = new PullNotes(service);
  return {
    async LinkPair(call, _query, body) {
      const stranger = networkOf(call.remoteAddress);
      const request = await body().catch((error: unknown) => {
        pairings.take(stranger);
        throw error;
      });
      // A datacenter with a token that was made here must not wait because of others who have none.
      const isMeant = await isLinkToken(service, request.token);
      pairings.take(isMeant ? `token ${request.token}` : stranger);
      return { json: await acceptPairing(service, request, call.remoteAddress) };
    },

    async LinkPing() {
      return { json: await ownPing(service) };
    },

    /** Calls the caller back at the URL that the link records. */
    async LinkCheck(call) {
      await readSignedBody(call);
      const { value: link } = await getLink(service, signerOf(call));
      let json: LinkBack;
      try {
        await pingLink(service, await linkClient(service, link), call.signal);
        json = { ok: true };
      } catch (error) {
        json = { ok: false, error: foreignMessage(error) };
      }
      return { json };
    },

    /** Random bytes, which nothing on the way can compress. */
    async LinkBlob(_call, { bytes = LINK_BODY_LIMIT }) {
      const data = randomBytes(bytes);
      return {
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(bytes),
          'x-sha256': sha256Of(data),
        },
        stream: Readable.from([data]),
      };
    },

    async LinkEcho(call) {
      const body = await readSignedBody(call);
      const json: LinkEcho = { bytes: body.length, sha256: sha256Of(body) };
      return { json };
    },

    async LinkRotate(call, _query, body) {
      const request = await body();
      await acceptRotation(service, signerOf(call), fingerprintIn(parseAuthorization(call.headers).keyId), request);
      return { json: {} };
    },

    async LinkUnlink(call) {
      await readSignedBody(call);
      await acceptUnlink(service, signerOf(call));
      return { json: {} };
    },

    LinkGetImage: (call) => getLinkImage(service, call),
    LinkGetImageIcon: (call) => getLinkIcon(service, call),
    LinkGetImageFile: (call, query) => getLinkFile(service, notes, call, query),
    LinkGetImageFilePieces: (call, query) => getLinkPieces(service, call, query),
    LinkCreatePullUrl: (call, query) => createLinkPullUrl(service, call, query),

    /** A link that is already gone is no error: the caller may be asking again because it missed the answer. */
    async LinkEndPull(call) {
      await readSignedBody(call);
      const { reqid = '' } = call.params;
      return { json: { ended: isUuid(reqid) && (await endPull(service, { reqid, datacenter: signerOf(call) })) } };
    },

    ...linkCopyHandlers(service, worker),
    ...pullLinkHandlers(service, gate),
  };
}

/** Limits the requests of each linked datacenter, and ends its streams with its link. */
export function forLinked(service: Service): (handler: Handler, row: Operation) => Handler {
  const limiter = sharedRateLimiter(service, service.config.links.requestsPerSecond);
  return (handler, { auth }) => {
    if (auth !== 'strict') return handler;
    return async (call) => {
      const datacenter = signerOf(call);
      await limiter.take(datacenter);
      const reply = await handler(call);
      if (reply.stream) {
        const link = await findLink(service, datacenter);
        if (link) endWithLink(service, link.value, reply.stream);
        else reply.stream.destroy(new LinkEndedError(datacenter));
      }
      return reply;
    };
  };
}

function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
