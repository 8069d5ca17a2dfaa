/** Pairing, on the side that made the token: checks the other side's proof, records the link, sends its own proof. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { PairingReply, PairingRequest } from '#lib/api/schemas/link.ts';
import { EtagConflictError } from '#lib/documents/errors.ts';
import type { Stored, Write } from '#lib/documents/store.ts';
import type { Service } from '../../service/service.ts';
import { LINK_TOKENS, type LinkRecord, type LinkTokenRecord, type PublicKey } from './documents.ts';
import { findLink, putLink } from './links.ts';
import { keyForLink, ownKeys } from './own-keys.ts';
import { keyOf, ownParty, type Party, parseParty } from './party.ts';
import { assertPeerUrl } from './peer-url.ts';
import { namedOrigins } from './pull-origins.ts';
import { ownName } from './self.ts';
import { codeOf, sameCode } from './token.ts';

const MAKE_ANOTHER = 'make a new one with "imgapiadm link-token"';

/**
 * @param from the address that the request came from
 * Only a successful pairing uses up the token.
 * @throws 401 UnauthorizedError when the token is unknown, used, expired, or does not match the message's code;
 * 409 LinkAlreadyExists when the datacenter is linked with other keys; 422 when it cannot be linked
 */
export async function acceptPairing(service: Service, request: PairingRequest, from: string): Promise<PairingReply> {
  const token = await validToken(service, request.token);
  const { verifier } = token.value;
  if (!sameCode(codeOf(verifier, 'request', [request.token, request.party]), request.code)) {
    throw unauthorized('the link token is not the one that was made here, or the message was altered on the way');
  }
  const party = parseParty(request.party, 'the other datacenter');
  const now = new Date(service.clock.now()).toISOString();
  const theirs = keyOf(party, now);
  if (party.datacenter === ownName(service)) {
    throw new ApiError('ValidationFailed', `"${party.datacenter}" is this datacenter itself`);
  }
  if (party.peer !== undefined && party.peer !== ownName(service)) {
    throw new ApiError(
      'ValidationFailed',
      `${party.peer_url} is datacenter "${ownName(service)}", not "${party.peer}"`,
    );
  }
  assertPeerUrl(service, party.url, from);
  const stored = await findLink(service, party.datacenter);
  if (stored) assertSameKey(stored.value, theirs);
  const ours = keyForLink((await ownKeys(service)).value, stored?.value);
  const link = linkWith({
    stored,
    party,
    theirs,
    ourUrl: party.peer_url,
    ourKey: ours.fingerprint,
    now,
    terms: token.value,
  });
  await record(service, token, putLink(link, stored?.etag ?? null));
  service.log.info({ datacenter: link.name, url: link.url, key: theirs.fingerprint }, 'linked a datacenter');
  const reply = JSON.stringify(ownParty(service, ours, party.url));
  return { party: reply, code: codeOf(verifier, 'reply', [request.token, request.party, reply]) };
}

/** @throws 409 LinkAlreadyExists */
export function assertSameKey({ name, keys }: LinkRecord, key: PublicKey): void {
  if (keys.some(({ fingerprint }) => fingerprint === key.fingerprint)) return;
  throw new ApiError(
    'LinkAlreadyExists',
    `datacenter "${name}" is linked with key ${keys.map(({ fingerprint }) => fingerprint).join(', ')}, ` +
      `not with ${key.fingerprint}; if the new key is right, unlink it first`,
  );
}

export interface LinkTerms {
  readonly allowed_accounts?: readonly string[] | undefined;
  readonly pull_origins?: readonly string[] | undefined;
}

/** The link as each side records it: a new one, or the existing one updated by this pairing. */
export function linkWith(parts: {
  readonly stored: Stored<LinkRecord> | undefined;
  readonly party: Party;
  readonly theirs: PublicKey;
  readonly ourUrl: string;
  readonly ourKey: string;
  readonly now: string;
  readonly terms: LinkTerms;
}): LinkRecord {
  const { stored, party, theirs, terms } = parts;
  return {
    name: party.datacenter,
    url: party.url,
    our_url: parts.ourUrl,
    keys: stored?.value.keys ?? [theirs],
    our_key: parts.ourKey,
    ...namedOrigins(party.url, terms.pull_origins, party.pull_origins),
    ...(terms.allowed_accounts && { allowed_accounts: terms.allowed_accounts }),
    created_at: stored?.value.created_at ?? parts.now,
    rev: stored?.value.rev ?? 0,
  };
}

async function validToken(service: Service, id: string): Promise<Stored<LinkTokenRecord>> {
  const token = await service.store.get(LINK_TOKENS, id);
  if (!token) throw unauthorized(`the link token is unknown or used up: ${MAKE_ANOTHER}`);
  if (token.value.expires_at <= service.store.now()) throw unauthorized(`the link token expired: ${MAKE_ANOTHER}`);
  return token;
}

/** Removes the token in the batch that adds the link: of two concurrent uses, only one succeeds. */
async function record(service: Service, token: Stored<LinkTokenRecord>, link: Write): Promise<void> {
  try {
    await service.store.batch([{ op: 'del', bucket: LINK_TOKENS, key: token.key, ifEtag: token.etag }, link]);
  } catch (cause) {
    if (!(cause instanceof EtagConflictError) || cause.bucket !== LINK_TOKENS.name) throw cause;
    throw unauthorized(`the link token is used up: ${MAKE_ANOTHER}`);
  }
}

function unauthorized(message: string): ApiError {
  return new ApiError('UnauthorizedError', message);
}
