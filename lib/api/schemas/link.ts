/**
 * The small messages between linked datacenters. Each side distrusts the other, so everything has a bound; what a
 * newer version says beyond these is let be.
 */
import { Type } from 'typebox';
import type { Wording } from '../wording.ts';
import { anything, bytes, type ValueOf } from './build.ts';
import { LinkVersions } from './datacenter.ts';

export const LinkPing = Type.Object({
  datacenter: Type.String({ maxLength: 100 }),
  versions: LinkVersions,
  time: Type.String({ maxLength: 40, description: 'ISO date.' }),
  stores: Type.Record(Type.String(), Type.String({ maxLength: 200 }), {
    maxProperties: 10,
    description: 'Identities of the object stores, by the name in `files[].stor`.',
  }),
});
export type LinkPing = ValueOf<typeof LinkPing>;

export const LinkBack = Type.Object(
  { ok: Type.Boolean(), error: Type.Optional(Type.String({ maxLength: 2000 })) },
  { description: 'What the other found when it called back.' },
);
export type LinkBack = ValueOf<typeof LinkBack>;

export const LinkEcho = Type.Object({
  bytes: bytes('Bytes that came.'),
  sha256: Type.String({ maxLength: 64, description: 'Of these bytes, as hex.' }),
});
export type LinkEcho = ValueOf<typeof LinkEcho>;

const PAIRING = {
  party: Type.String({ maxLength: 65_536, description: 'JSON text of what the side says of itself.' }),
  code: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Authentication code of the message.' }),
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
          description: 'Base64 signature by the new key, proving that it is theirs.',
        }),
      }),
    ),
    drop: Type.Optional(
      Type.Array(Type.String({ maxLength: 100 }), {
        maxItems: 20,
        description: 'Fingerprints that are out of use.',
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

export const PullEnded = Type.Object({ ended: Type.Boolean({ description: 'False when it was gone already.' }) });
export type PullEnded = ValueOf<typeof PullEnded>;

const Share = Type.Object({
  entry: Type.String({ description: 'As typed.' }),
  account: Type.Optional(Type.String({ description: 'Of a login: the account that it opened the image to.' })),
  shared_at: Type.Optional(Type.String({ description: 'Of a login: ISO date of the write that made the entry.' })),
});

export const LinkImage = Type.Object({
  manifest: anything('As version 3 shows it to the owner, with `acl` holding the UUIDs only.'),
  shares: Type.Optional(Type.Array(Share, { description: 'The whole ACL in order.' })),
  left: Type.Optional(
    Type.Array(Share, { description: 'Entries that open nothing any more because their account left.' }),
  ),
});
export type LinkImage = ValueOf<typeof LinkImage>;
