/** Pairing, on the side that was given the token: one command by an operator links the two datacenters. */
import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { LinkReport } from '#lib/api/schemas/datacenter.ts';
import { PairingReply, type PairingRequest } from '#lib/api/schemas/link.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { smallJson } from '#lib/client/small-json.ts';
import type { Service } from '../../service/service.ts';
import { remoteFailure } from '../peers/remote-failure.ts';
import { namedTransport } from '../peers/transports.ts';
import { assertSameKey, linkWith } from './accept-pairing.ts';
import { runChecks } from './check-link.ts';
import type { LinkRecord, OwnKey } from './documents.ts';
import { firewallRules } from './firewall.ts';
import { linkClient, linkClientWith } from './link-client.ts';
import { changeLink, findLink, putLink } from './links.ts';
import { keyForLink, ownKeys } from './own-keys.ts';
import { keyOf, ownParty, type Party, parseParty } from './party.ts';
import { pingLink } from './ping.ts';
import { namedOrigins, pullOriginsOf } from './pull-origins.ts';
import { ownName } from './self.ts';
import { codeOf, type LinkToken, parseToken, sameCode } from './token.ts';
import { expectShape } from './wire.ts';

export interface LinkDatacenterOptions {
  /** The other datacenter's own name. */
  readonly name: string;
  /** Its link listener, as returned by `linkUrl`. */
  readonly url: string;
  /** Made by `createLinkToken` in the other datacenter. */
  readonly token: string;
  /** The accounts whose images the other may read. Absent: all accounts. */
  readonly allowedAccounts?: readonly string[] | undefined;
  /** Origins to accept in the other's pull URLs, besides its link listener. */
  readonly pullOrigins?: readonly string[] | undefined;
}

const PAIR_TIMEOUT_MS = 30_000;
const UNDO_TIMEOUT_MS = 10_000;

/**
 * If the link already exists, changes only the given terms.
 * @throws 401 when the other side refuses the token; 409 LinkAlreadyExists; 422; 503 RemoteSourceError when the other
 * side cannot be reached, or does not prove that it knows the token
 */
export async function linkDatacenter(service: Service, options: LinkDatacenterOptions): Promise<LinkReport> {
  const { name, url } = options;
  const token = parseToken(options.token);
  if (name === ownName(service)) throw new ApiError('ValidationFailed', `"${name}" is this datacenter itself`);
  const known = await linkedAlready(service, name, url);
  if (!known) {
    const link = await pair(service, { ...options, name, url }, token);
    return reportOn(service, link, { created: true, changed: false });
  }
  const changed = await withTerms(service, known, options);
  return reportOn(service, changed ?? known, { created: false, changed: changed !== undefined });
}

/** The link, if both sides already have it under this URL. */
async function linkedAlready(service: Service, name: string, url: string): Promise<LinkRecord | undefined> {
  const link = (await findLink(service, name))?.value;
  if (link?.url !== url) return undefined;
  try {
    await pingLink(service, await linkClient(service, link));
    return link;
  } catch (error) {
    // 401: the other side does not know us (any more), so pair again. The report shows any other problem.
    return error instanceof ImgapiError && error.statusCode === 401 ? undefined : link;
  }
}

/** The link with the given terms; undefined if they change nothing. */
async function withTerms(
  service: Service,
  link: LinkRecord,
  { allowedAccounts, pullOrigins }: LinkDatacenterOptions,
): Promise<LinkRecord | undefined> {
  const terms = {
    ...(allowedAccounts && { allowed_accounts: allowedAccounts }),
    ...(pullOrigins && namedOrigins(link.url, pullOrigins, link.announced_pull_origins ?? link.pull_origins)),
  };
  if (isDeepStrictEqual({ ...link, ...terms }, link)) return undefined;
  return changeLink(service, link.name, (current) => ({ ...current, ...terms }));
}

async function pair(service: Service, options: LinkDatacenterOptions, token: LinkToken): Promise<LinkRecord> {
  const stored = await findLink(service, options.name);
  const ours = keyForLink((await ownKeys(service)).value, stored?.value);
  const own = ownParty(service, ours, options.url, options.name);
  const party = await exchange(service, options.url, token, JSON.stringify(own));
  const now = new Date(service.clock.now()).toISOString();
  const theirs = keyOf(party, now);
  const link = linkWith({
    stored,
    // The operator's URL has just worked; the one that the other side announces might not.
    party: { ...party, url: options.url },
    theirs,
    ourUrl: own.url,
    ourKey: ours.fingerprint,
    now,
    terms: { allowed_accounts: options.allowedAccounts, pull_origins: options.pullOrigins },
  });
  try {
    if (party.datacenter !== options.name) {
      const is = `${options.url} is datacenter "${party.datacenter}"`;
      throw new ApiError('ValidationFailed', `${is}, not "${options.name}"`);
    }
    if (stored) assertSameKey(stored.value, theirs);
    await service.store.batch([putLink(link, stored?.etag ?? null)]);
  } catch (error) {
    if (!stored) await undoThere(service, link, ours);
    throw error;
  }
  service.log.info({ datacenter: link.name, url: link.url, key: theirs.fingerprint }, 'linked a datacenter');
  return link;
}

/** The other side has already recorded the link. If left there, it would get in the way of the next pairing. */
async function undoThere(service: Service, link: LinkRecord, ours: OwnKey): Promise<void> {
  try {
    await linkClientWith(service, link, ours).json({ method: 'POST', path: '/link/unlink', timeout: UNDO_TIMEOUT_MS });
  } catch (err) {
    service.log.warn(
      { err, datacenter: link.name, url: link.url },
      'the other side keeps a link that was not made here',
    );
  }
}

/** Returns the other side's description only if it proved that it knows the token. */
async function exchange(service: Service, url: string, token: LinkToken, own: string): Promise<Party> {
  const request: PairingRequest = {
    token: token.id,
    party: own,
    code: codeOf(token.verifier, 'request', [token.id, own]),
  };
  const transport = namedTransport(url, service);
  try {
    const answer = await smallJson((message) => transport.send(message), {
      method: 'POST',
      path: '/link/pair',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      timeout: PAIR_TIMEOUT_MS,
    });
    const reply = expectShape(answer, PairingReply, url);
    if (sameCode(codeOf(token.verifier, 'reply', [token.id, own, reply.party]), reply.code)) {
      return parseParty(reply.party, url);
    }
  } catch (cause) {
    if (isWithoutPairing(cause)) throw notItsLinksPort(url, cause);
    throw remoteFailure(cause, 'url', url);
  }
  throw new ApiError(
    'RemoteSourceError',
    `${url} did not prove that it knows the link token: something in between may be altering messages; nothing was linked here`,
  );
}

/** Its main port answers, most often, or something else of HTTP: the links port knows the path. */
function isWithoutPairing(cause: unknown): boolean {
  return cause instanceof ImgapiError && cause.statusCode === 404;
}

function notItsLinksPort(url: string, cause: unknown): ApiError {
  const meant =
    "name the other datacenter's links port (links.port in its configuration; imgapiadm link-token there tells its URL)";
  return new ApiError('RemoteSourceError', `${url} pairs with nobody, as the main port of an IMGAPI: ${meant}`, {
    cause,
  });
}

async function reportOn(
  service: Service,
  link: LinkRecord,
  done: Pick<LinkReport, 'created' | 'changed'>,
): Promise<LinkReport> {
  const report = await runChecks(service, link, { transfers: false });
  return {
    ...report,
    ...done,
    our_key: link.our_key,
    their_keys: link.keys.map(({ fingerprint }) => fingerprint),
    pull_origins: pullOriginsOf(link),
    ...(link.announced_pull_origins && { announced_pull_origins: link.announced_pull_origins }),
    ...(link.allowed_accounts && { allowed_accounts: link.allowed_accounts }),
    problems: report.checks.flatMap(({ ok, check, detail, mend = '' }) =>
      ok ? [] : [{ problem: `${check}: ${detail}`, mend }],
    ),
    firewall_rules: await firewallRules(service, link),
    sapi_metadata: {
      metadata: { IMGAPI_LINKS_PORT: service.config.links.port, IMGAPI_LINKS_PUBLIC_URL: link.our_url },
    },
  };
}
