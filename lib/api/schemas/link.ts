/**
 * The small messages between linked datacenters. Each side distrusts the other, so everything has a bound. Fields that
 * a newer version adds are ignored.
 */
import { Type } from 'typebox';
import { COPY_STATES } from '../copy-states.ts';
import type { Wording } from '../wording.ts';
import { anything, bytes, hex, oneOf, type ValueOf } from './build.ts';
import { LinkVersions } from './datacenter.ts';

export const LinkPing = Type.Object({
  datacenter: Type.String({ maxLength: 100 }),
  versions: LinkVersions,
  time: Type.String({ maxLength: 40, description: 'ISO date.' }),
  stores: Type.Record(Type.String(), Type.String({ maxLength: 200 }), {
    maxProperties: 10,
    description: 'Identities of the object stores, by their names in `files[].stor`.',
  }),
});
export type LinkPing = ValueOf<typeof LinkPing>;

export const LinkBack = Type.Object(
  { ok: Type.Boolean(), error: Type.Optional(Type.String({ maxLength: 2000 })) },
  { description: 'What the other datacenter found when it called back.' },
);
export type LinkBack = ValueOf<typeof LinkBack>;

export const LinkEcho = Type.Object({
  bytes: bytes('Bytes that arrived.'),
  sha256: Type.String({ maxLength: 64, description: 'Of these bytes, as hex.' }),
});
export type LinkEcho = ValueOf<typeof LinkEcho>;

const PAIRING = {
  party: Type.String({ maxLength: 65_536, description: 'What a side says of itself, as JSON text.' }),
  code: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Message authentication code.' }),
};

export const PairingReply = Type.Object(PAIRING);
export type PairingReply = ValueOf<typeof PairingReply>;

export const PairingRequest = Type.Object(
  {
    ...PAIRING,
    token: Type.String({ pattern: '^[0-9a-f]{16}$', description: 'Id of the token.' }),
  },
  {
    error: 'ValidationFailed',
    about: 'token',
    refusal: 'a pairing message has token, party and code',
  } satisfies Wording,
);
export type PairingRequest = ValueOf<typeof PairingRequest>;

export const RotateRequest = Type.Object(
  {
    add: Type.Optional(
      Type.Object({
        public_key: Type.String({ maxLength: 8192, description: 'OpenSSH form.' }),
        proof: Type.String({
          maxLength: 1024,
          description: 'Base64 signature by the new key, which proves that the sender holds it.',
        }),
      }),
    ),
    drop: Type.Optional(
      Type.Array(Type.String({ maxLength: 100 }), {
        maxItems: 20,
        description: 'Fingerprints of keys that are no longer used.',
      }),
    ),
  },
  {
    additionalProperties: false,
    ...({
      error: 'ValidationFailed',
      about: 'add',
      refusal: 'a rotation has add {public_key, proof} or drop [fingerprint]',
    } satisfies Wording),
  },
);
export type RotateRequest = ValueOf<typeof RotateRequest>;

export const PullEnded = Type.Object({ ended: Type.Boolean({ description: 'False if it was already gone.' }) });
export type PullEnded = ValueOf<typeof PullEnded>;

const Share = Type.Object({
  entry: Type.String({ description: 'As typed.' }),
  account: Type.Optional(Type.String({ description: 'For a login: the account that it opened the image to.' })),
  shared_at: Type.Optional(Type.String({ description: 'For a login: ISO date of the write that added the entry.' })),
});

export const LinkImage = Type.Object({
  manifest: anything('As version 3 shows it to the owner, but with only UUIDs in `acl`.'),
  shares: Type.Optional(Type.Array(Share, { description: 'The whole ACL, in order.' })),
  left: Type.Optional(
    Type.Array(Share, { description: 'Entries that no longer have an effect, because their account left.' }),
  ),
});
export type LinkImage = ValueOf<typeof LinkImage>;

/** Bytes of a piece of a file; only the last one of a file may have fewer. */
export const PIECE_BYTES = 8 * 1024 * 1024;

/** Pieces whose hashes one answer holds: few enough that a source that has none yet reads them in a second or so. */
export const PIECES_A_PAGE = 32;

export const LinkPieces = Type.Object({
  sha1: hex(40, 'Of the whole file.'),
  piece_bytes: Type.Integer({ minimum: 1, description: 'Bytes of a piece; the last one of a file may have fewer.' }),
  sha256: Type.Array(hex(64, 'Of one piece.'), {
    maxItems: PIECES_A_PAGE,
    description: 'Of the pieces of this page, in order; none on a page beyond the end.',
  }),
});
export type LinkPieces = ValueOf<typeof LinkPieces>;

/** How far an order is that another datacenter placed. Bounded, because it is read from a server that is not trusted. */
export const LinkCopy = Type.Object(
  {
    order: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description: 'UUID of the order.' }),
    state: oneOf(COPY_STATES),
    held: Type.Boolean({ description: 'Its images stay hidden until they are released.' }),
    verified: Type.Boolean({ description: 'All bytes are here and have the right hashes.' }),
    bytes_done: bytes(),
    bytes_total: bytes(),
    rate: Type.Number({ minimum: 0, description: 'Bytes per second.' }),
    error: Type.Optional(
      Type.Object({ code: Type.String({ maxLength: 100 }), message: Type.String({ maxLength: 2000 }) }),
    ),
  },
  { description: 'An order that another datacenter placed here.' },
);
export type LinkCopy = ValueOf<typeof LinkCopy>;
