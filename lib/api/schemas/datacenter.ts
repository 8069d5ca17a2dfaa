/** Datacenters that are linked with this one, and the operators' commands about links. */
import { Type } from 'typebox';
import { needed, type ParameterOptions } from '../parameters.ts';
import { anything, date, oneOf, strings, uuid, type ValueOf } from './build.ts';

export const LinkVersions = Type.Object({ service: Type.String({ maxLength: 100 }), link: Type.Integer() });

export const LinkHealth = Type.Object(
  {
    checked_at: date(),
    ok: Type.Boolean(),
    clock_skew_seconds: Type.Optional(
      Type.Integer({ description: "How far the other datacenter's clock is ahead; negative when it is behind." }),
    ),
    versions: Type.Optional(LinkVersions),
    error: Type.Optional(Type.String({ description: 'What is wrong, in one sentence.' })),
  },
  { description: 'What the last check of a link found.' },
);
export type LinkHealth = ValueOf<typeof LinkHealth>;

const PULL_ORIGINS = strings('Origins (scheme, host, port) that its pull URLs may have.');
const ANNOUNCED = Type.Optional(
  strings('Origins that it announces beyond these. Pull URLs there are accepted once an operator here names them.'),
);
const ALLOWED = Type.Optional(
  Type.Array(uuid(), { description: 'The accounts whose images it may read; absent means all.' }),
);

export const Datacenter = Type.Object(
  {
    name: Type.String(),
    url: Type.String(),
    kind: oneOf(['link', 'legacy'], {
      description: '`legacy`: listed in `imgapiUrlFromDatacenter`, and asked on its main port without signatures.',
    }),
    keys: Type.Optional(strings('Fingerprints of its keys; two while it rotates them.')),
    our_key: Type.Optional(Type.String({ description: 'Fingerprint of our key that it accepts.' })),
    pull_origins: Type.Optional(PULL_ORIGINS),
    announced_pull_origins: ANNOUNCED,
    allowed_accounts: ALLOWED,
    created_at: Type.Optional(date()),
    health: Type.Optional(LinkHealth),
  },
  { description: 'A datacenter that images can be copied from, and the state of its link.' },
);
export type Datacenter = ValueOf<typeof Datacenter>;

export const LINK_CHECKS = ['reach', 'clock', 'versions', 'reach back', 'download', 'upload'] as const;

export const LinkCheck = Type.Object({
  check: oneOf(LINK_CHECKS),
  ok: Type.Boolean(),
  detail: Type.String({ description: 'What was found.' }),
  mend: Type.Optional(Type.String({ description: 'What to do about it.' })),
});
export type LinkCheck = ValueOf<typeof LinkCheck>;

const CHECK_REPORT = {
  datacenter: Type.String(),
  url: Type.String(),
  ok: Type.Boolean(),
  checks: Type.Array(LinkCheck, { description: 'In order; checks that cannot succeed after a failure are skipped.' }),
};

export const LinkCheckReport = Type.Object(CHECK_REPORT);
export type LinkCheckReport = ValueOf<typeof LinkCheckReport>;

export const FirewallRule = Type.Object(
  {
    description: Type.String(),
    enabled: Type.Literal(true),
    owner_uuid: Type.Optional(uuid()),
    rule: Type.String({ description: "In fwadm's rule language." }),
  },
  { description: 'For `fwadm add`.' },
);
export type FirewallRule = ValueOf<typeof FirewallRule>;

export const LinkReport = Type.Object(
  {
    ...CHECK_REPORT,
    created: Type.Boolean({ description: 'False if it was linked before.' }),
    changed: Type.Boolean({
      description: 'Whether the accounts or pull origins of an existing link have changed.',
    }),
    our_key: Type.String({ description: 'Fingerprint, to compare with what the other side shows.' }),
    their_keys: strings('Fingerprints.'),
    pull_origins: PULL_ORIGINS,
    announced_pull_origins: ANNOUNCED,
    allowed_accounts: ALLOWED,
    problems: Type.Array(Type.Object({ problem: Type.String(), mend: Type.String() }), {
      description: 'What does not work yet, and what to do about it.',
    }),
    firewall_rules: Type.Array(FirewallRule, {
      description: 'Rules that open the link port to the other datacenter, and nothing else.',
    }),
    sapi_metadata: anything('For the metadata of the imgapi service in SAPI.'),
  },
  { description: 'The outcome of linking a datacenter.' },
);
export type LinkReport = ValueOf<typeof LinkReport>;

/** How a datacenter may be called. */
export const DATACENTER_NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';

const MOST_ACCOUNTS = 1000;
/** That one side of a link names of the other. */
export const MOST_ORIGINS = 20;

const TERMS = {
  allowed_accounts: Type.Optional(
    Type.Array(Type.String({ format: 'lower-case-uuid' }), {
      maxItems: MOST_ACCOUNTS,
      description: 'The accounts whose images the other datacenter may read; default all.',
      refusal: `allowed_accounts must be an array of at most ${MOST_ACCOUNTS} account UUIDs`,
    } satisfies ParameterOptions),
  ),
  pull_origins: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: MOST_ORIGINS,
      description:
        "Origins (scheme, host, port) that the other datacenter's pull URLs may have, besides its link listener.",
    }),
  ),
};
const AN_OBJECT = { mustBe: 'a JSON object' } satisfies ParameterOptions;

export const LinkTerms = Type.Object(TERMS, { description: 'What one side of a link allows the other.', ...AN_OBJECT });
export type LinkTerms = ValueOf<typeof LinkTerms>;

export const LinkRequest = Type.Object(
  {
    name: needed(
      Type.String({
        pattern: DATACENTER_NAME,
        description: 'The name of the other datacenter.',
        mustBe: 'the name of a datacenter',
      } satisfies ParameterOptions),
      { missing: { kind: 'Invalid', message: 'name is undefined; it must be the name of a datacenter' } },
    ),
    url: Type.String({ description: 'URL of its link listener.' }),
    token: needed(Type.String({ description: 'The token from CreateLinkToken there.' }), {
      missing: { kind: 'Missing', message: 'token is missing', also: ['no text'] },
    }),
    ...TERMS,
  },
  AN_OBJECT,
);
export type LinkRequest = ValueOf<typeof LinkRequest>;

export const NewLinkToken = Type.Object(
  {
    token: Type.String({ description: 'Shown only once: the server keeps just a value derived from it.' }),
    expires: date(),
    datacenter: Type.String({ description: 'The name of this datacenter.' }),
    url: Type.String({ description: 'URL of its link listener.' }),
  },
  { description: 'A token with which another datacenter can link this one, once.' },
);
export type NewLinkToken = ValueOf<typeof NewLinkToken>;

export const RotateReport = Type.Object({
  new_key: Type.String({ description: 'Fingerprint of the key that is used from now on.' }),
  dropped: strings('Fingerprints of the keys that this datacenter no longer signs with.'),
  announced: strings('Datacenters that have accepted the new key.'),
  failed: Type.Array(Type.Object({ datacenter: Type.String(), error: Type.String() }), {
    description:
      'Datacenters that could not be told. With `drop` they have to be linked again; without it, the old key stays in use until they have been told.',
  }),
});
export type RotateReport = ValueOf<typeof RotateReport>;

export const UnlinkReport = Type.Object({
  datacenter: Type.String(),
  told: Type.Boolean({ description: 'False if the other datacenter could not be told: unlink it there as well.' }),
  error: Type.Optional(Type.String({ description: 'Why not.' })),
  pulls: Type.Object(
    { links: Type.Integer(), bytes: Type.Integer() },
    { description: "The other datacenter's pull links that were removed here." },
  ),
});
export type UnlinkReport = ValueOf<typeof UnlinkReport>;
