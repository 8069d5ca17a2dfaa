/** The description that each side of a pairing sends of itself, and the checks on what it receives. */
import { randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { ApiError, type FieldError, invalidParameter } from '#lib/api/errors/api-error.ts';
import { DATACENTER_NAME, MOST_ORIGINS } from '#lib/api/schemas/datacenter.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { parseJsonText } from '#lib/text/json.ts';
import { withoutEnd } from '#lib/text/without-end.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { PublicKey } from './documents.ts';
import { linkKey } from './public-keys.ts';
import { LINK_VERSION, ownLinkUrl, ownName, ownPullOrigins, SERVICE_VERSION } from './self.ts';

export interface Party {
  readonly datacenter: string;
  /** Its link listener. */
  readonly url: string;
  /** The URL at which it reaches the other side; its requests are signed for this host. */
  readonly peer_url: string;
  /** The other side's name, if the operator gave it, so that a mistake is found before anything is written. */
  readonly peer?: string;
  /** In OpenSSH format. */
  readonly public_key: string;
  readonly pull_origins: readonly string[];
  /** ISO date. */
  readonly time: string;
  readonly versions: { readonly service: string; readonly link: number };
  readonly nonce: string;
}

const ajv = new Ajv({ validateSchema: false, meta: false });

/** Compiled when it is first used. */
const PARTY = {
  type: 'object',
  required: ['datacenter', 'url', 'peer_url', 'public_key', 'pull_origins', 'time', 'versions', 'nonce'],
  properties: {
    datacenter: { type: 'string', pattern: DATACENTER_NAME },
    url: { type: 'string', maxLength: 1024 },
    peer_url: { type: 'string', maxLength: 1024 },
    peer: { type: 'string', pattern: DATACENTER_NAME },
    public_key: { type: 'string', maxLength: 8192 },
    pull_origins: { type: 'array', maxItems: MOST_ORIGINS, items: { type: 'string', maxLength: 1024 } },
    time: { type: 'string', maxLength: 40 },
    versions: {
      type: 'object',
      required: ['service', 'link'],
      properties: { service: { type: 'string', maxLength: 100 }, link: { type: 'integer' } },
    },
    nonce: { type: 'string', minLength: 16, maxLength: 100 },
  },
};

export function ownParty(
  service: WithConfig & { readonly clock: Clock },
  key: PublicKey,
  peerUrl: string,
  peer?: string,
): Party {
  return {
    datacenter: ownName(service),
    url: ownLinkUrl(service),
    peer_url: peerUrl,
    ...(peer !== undefined && { peer }),
    public_key: key.publicKey,
    pull_origins: ownPullOrigins(service),
    time: new Date(service.clock.now()).toISOString(),
    versions: { service: SERVICE_VERSION, link: LINK_VERSION },
    nonce: randomBytes(16).toString('hex'),
  };
}

/** @throws 422 ValidationFailed naming the field */
export function parseParty(text: string, who: string): Party {
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (cause) {
    throw new ApiError(
      'InvalidContent',
      `the description that ${who} sent of itself cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
  const isParty = ajv.compile<Party>(PARTY);
  if (!isParty(value)) {
    const [error] = isParty.errors ?? [];
    const field = error?.instancePath.split('/')[1] ?? String(error?.params['missingProperty'] ?? '');
    throw invalidFields(who, { field, code: 'Invalid', ...(error?.message && { message: error.message }) });
  }
  return {
    ...value,
    url: linkUrl(value.url, 'url'),
    peer_url: linkUrl(value.peer_url, 'peer_url'),
    pull_origins: value.pull_origins.map((origin) => originOf(origin, 'pull_origins')),
  };
}

/** @throws 422 ValidationFailed */
export function keyOf(party: Party, addedAt: string): PublicKey {
  try {
    return linkKey(party.public_key, addedAt);
  } catch (cause) {
    const message = (cause as Error).message;
    throw invalidFields(`datacenter "${party.datacenter}"`, { field: 'public_key', code: 'Invalid', message });
  }
}

/** Without a trailing slash. @throws 422 InvalidParameter */
export function linkUrl(value: unknown, field: string): string {
  const url = httpUrl(value, field);
  return withoutEnd(`${url.origin}${url.pathname}`, '/');
}

/** Scheme, host and port. @throws 422 InvalidParameter */
function originOf(value: unknown, field: string): string {
  return httpUrl(value, field).origin;
}

/** @throws 422 InvalidParameter */
export function originList(value: unknown, field: string): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > MOST_ORIGINS) {
    throw invalidParameter(field, `${field} must be an array of at most ${MOST_ORIGINS} URLs`);
  }
  return value.map((item) => originOf(item, field));
}

function httpUrl(value: unknown, field: string): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url && !url.username && !url.password && !url.search && !url.hash;
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw invalidParameter(
    field,
    `${field} is ${JSON.stringify(value)}; it must be an http or https URL without credentials, query or fragment`,
  );
}

function invalidFields(who: string, error: FieldError): ApiError {
  const reason = error.message ? `: ${error.message}` : '';
  return new ApiError(
    'ValidationFailed',
    `the description that ${who} sent of itself is invalid: ${error.field}${reason}`,
    {
      errors: [error],
    },
  );
}
