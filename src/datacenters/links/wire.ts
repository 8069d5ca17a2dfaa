/** The small messages between linked datacenters: their shapes, and reading them from answers that are distrusted. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { PullUrl } from '../../pulls/pull-url.ts';
import { SourceInvalidError } from '../sources/source.ts';

const ajv = new Ajv({ allowUnionTypes: true });

const versions = {
  type: 'object',
  required: ['service', 'link'],
  properties: { service: { type: 'string', maxLength: 100 }, link: { type: 'integer' } },
} as const;

/** GET /link/ping */
export interface LinkPing {
  readonly datacenter: string;
  readonly versions: { readonly service: string; readonly link: number };
  /** ISO date. */
  readonly time: string;
  /** Identities of the object stores, by the name in `files[].stor`. */
  readonly stores: Readonly<Record<string, string>>;
}

export const isLinkPing = ajv.compile<LinkPing>({
  type: 'object',
  required: ['datacenter', 'versions', 'time', 'stores'],
  properties: {
    datacenter: { type: 'string', maxLength: 100 },
    versions,
    time: { type: 'string', maxLength: 40 },
    stores: { type: 'object', maxProperties: 10, additionalProperties: { type: 'string', maxLength: 200 } },
  },
});

/** POST /link/check: what the other found when it called back. */
export interface LinkBack {
  readonly ok: boolean;
  readonly error?: string;
}

export const isLinkBack = ajv.compile<LinkBack>({
  type: 'object',
  required: ['ok'],
  properties: { ok: { type: 'boolean' }, error: { type: 'string', maxLength: 2000 } },
});

/** POST /link/echo */
export interface LinkEcho {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export const isLinkEcho = ajv.compile<LinkEcho>({
  type: 'object',
  required: ['bytes', 'sha256'],
  properties: { bytes: { type: 'integer' }, sha256: { type: 'string', maxLength: 64 } },
});

export const isPullUrl = ajv.compile<PullUrl>({
  type: 'object',
  required: ['url', 'expires', 'reqid', 'size', 'sha1', 'direct'],
  properties: {
    url: { type: 'string', maxLength: 4096 },
    expires: { type: 'string', maxLength: 40 },
    reqid: { type: 'string', maxLength: 40 },
    size: { type: 'integer', minimum: 0 },
    sha1: { type: 'string', pattern: '^[0-9a-f]{40}$' },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    md5: { type: 'string', maxLength: 24 },
    direct: { type: 'boolean' },
  },
});

/** A pairing message: what one side says of itself, and its authentication code. */
export interface PairingReply {
  /** JSON text of a Party. */
  readonly party: string;
  readonly code: string;
}

export interface PairingRequest extends PairingReply {
  /** The token's id. */
  readonly token: string;
}

const pairing = {
  party: { type: 'string', maxLength: 65_536 },
  code: { type: 'string', pattern: '^[0-9a-f]{64}$' },
} as const;

export const isPairingReply = ajv.compile<PairingReply>({
  type: 'object',
  required: ['party', 'code'],
  properties: pairing,
});

export const isPairingRequest = ajv.compile<PairingRequest>({
  type: 'object',
  required: ['token', 'party', 'code'],
  properties: { ...pairing, token: { type: 'string', pattern: '^[0-9a-f]{16}$' } },
});

/** POST /link/rotate */
export interface RotateRequest {
  readonly add?: {
    /** OpenSSH form. */
    readonly public_key: string;
    /** Base64 signature by the new key over `rotationText`. */
    readonly proof: string;
  };
  /** Fingerprints that are out of use. */
  readonly drop?: readonly string[];
}

export const isRotateRequest = ajv.compile<RotateRequest>({
  type: 'object',
  additionalProperties: false,
  properties: {
    add: {
      type: 'object',
      required: ['public_key', 'proof'],
      properties: { public_key: { type: 'string', maxLength: 8192 }, proof: { type: 'string', maxLength: 1024 } },
    },
    drop: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 100 } },
  },
});

/** @throws SourceInvalidError */
export function expectShape<T>(value: unknown, isShape: ValidateFunction<T>, who: string): T {
  if (isShape(value)) return value;
  const [error] = isShape.errors ?? [];
  throw new SourceInvalidError(
    `the answer of ${who} is not what was asked for: ${error?.instancePath} ${error?.message}`,
  );
}
