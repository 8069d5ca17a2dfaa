/** An image as each version of the API shows it. A field without a value is left out. */
import { Type } from 'typebox';
import { COMPRESSIONS, IMAGE_OSES, IMAGE_TYPES } from '../../manifest/record.ts';
import { anything, bytes, date, hex, oneOf, strings, uuid, type ValueOf } from './build.ts';

/** What versions 1 and 2 know. */
export const IMAGE_STATES = ['active', 'unactivated', 'disabled', 'creating', 'failed'] as const;
/** Version 3 distinguishes an image that is being copied from another datacenter from one that is being made here. */
export const IMAGE_STATES_V3 = [...IMAGE_STATES, 'copying'] as const;
export type ImageState = (typeof IMAGE_STATES_V3)[number];

const FILE = {
  sha1: hex(40, 'SHA-1 of the bytes, as hex.'),
  size: bytes(),
  compression: oneOf(COMPRESSIONS),
  dataset_guid: Type.Optional(Type.String({ description: 'GUID of the ZFS snapshot.' })),
  stor: Type.Optional(Type.String({ description: 'Name of the object store that holds it; with `inclAdminFields`.' })),
};

export const ImageFile = Type.Object(FILE, { description: 'A file of an image.' });

export const ImageFileV3 = Type.Object(
  { ...FILE, sha256: Type.Optional(hex(64, 'SHA-256 of the bytes, as hex; absent on older files.')) },
  { description: 'A file of an image.' },
);
export type ImageFile = ValueOf<typeof ImageFileV3>;

/** The fields of every view. */
const FIELDS = {
  v: Type.Number({ description: 'Version of the manifest; 2.' }),
  uuid: uuid(),
  owner: Type.Optional(uuid('Account UUID.')),
  name: Type.String(),
  version: Type.String(),
  disabled: Type.Boolean({ description: 'No new instances may be made of it.' }),
  public: Type.Boolean({ description: 'Every account may use it.' }),
  published_at: Type.Optional(date('When it was activated; absent until then.')),
  type: Type.Optional(oneOf(IMAGE_TYPES, { description: 'Form of the file. Absent on placeholders.' })),
  os: Type.Optional(oneOf(IMAGE_OSES, { description: 'Absent on placeholders.' })),
  description: Type.Optional(Type.String({ description: 'Up to 10 KiB.' })),
  homepage: Type.Optional(Type.String({ description: 'URL.' })),
  eula: Type.Optional(Type.String({ description: "URL of the end user's licence." })),
  icon: Type.Optional(Type.Boolean({ description: 'True when there is one.' })),
  urn: Type.Optional(Type.String({ description: 'Its name in DSAPI.' })),
  requirements: Type.Optional(
    anything(
      'What an instance needs: networks, brand, ssh_key, min_ram and max_ram (MiB), min_platform and max_platform (stamps by platform version), bootrom.',
    ),
  ),
  users: Type.Optional(
    Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: true }), {
      description: 'Users of an instance, whose passwords may be generated.',
    }),
  ),
  generate_passwords: Type.Optional(
    Type.Boolean({ description: 'Whether passwords of `users` are generated for each instance.' }),
  ),
  inherited_directories: Type.Optional(strings('Directories that an instance inherits from its compute node.')),
  origin: Type.Optional(uuid('The image that this one builds on.')),
  nic_driver: Type.Optional(Type.String({ description: 'Type zvol only.' })),
  disk_driver: Type.Optional(Type.String({ description: 'Type zvol only.' })),
  cpu_type: Type.Optional(Type.String({ description: 'Type zvol only.' })),
  image_size: Type.Optional(Type.Integer({ description: 'Size of the disk in MiB; type zvol only.' })),
  tags: Type.Optional(anything('By name.')),
  billing_tags: Type.Optional(strings('For operators.')),
  traits: Type.Optional(anything('For operators: what a compute node must have.')),
  error: Type.Optional(
    Type.Object(
      {
        code: Type.Optional(Type.String()),
        message: Type.Optional(Type.String()),
        stack: Type.Optional(Type.String()),
      },
      { description: 'Why the image is in state failed.' },
    ),
  ),
};

const LEGACY = {
  ...FIELDS,
  state: oneOf(IMAGE_STATES),
  files: Type.Array(ImageFile),
  acl: Type.Optional(Type.Array(uuid(), { description: 'Accounts that may use it, by UUID.' })),
};

const CHANNELS = {
  channels: Type.Optional(strings('Names of its channels, where the server has channels.')),
};

export const ImageV1 = Type.Object(LEGACY, { description: 'An image in the view of version 1.' });
export type ImageV1 = ValueOf<typeof ImageV1>;

export const ImageV2 = Type.Object({ ...LEGACY, ...CHANNELS }, { description: 'An image in the view of version 2.' });
export type ImageV2 = ValueOf<typeof ImageV2>;

export const ImageV3 = Type.Object(
  {
    ...FIELDS,
    ...CHANNELS,
    state: oneOf(IMAGE_STATES_V3),
    files: Type.Array(ImageFileV3),
    acl: Type.Optional(
      strings(
        'The accounts it is shared with, as the owner typed them: UUIDs and logins. An account that it is shared with sees only its own UUID.',
      ),
    ),
    owner_login: Type.Optional(Type.String({ description: 'Absent while the directory is down.' })),
    shared_as: Type.Optional(
      strings('Shown to an account that it is shared with: the entries of the ACL that stand for this account.'),
    ),
    left_by: Type.Optional(
      strings(
        'Shown to the owner: the entries whose account has left. They have no effect until they are added again.',
      ),
    ),
    accepted_by: Type.Optional(strings('Shown to the owner: the entries whose account has accepted the image.')),
    copied_from: Type.Optional(
      Type.Object(
        { datacenter: Type.String(), at: date() },
        { description: 'Shown to the owner: where it was copied from.' },
      ),
    ),
    cloned_from: Type.Optional(
      Type.Object({ uuid: uuid(), owner: uuid() }, { description: 'Shown to the owner: what it was cloned from.' }),
    ),
    deprecated_at: Type.Optional(
      date('Its owner advises against it from then on; this may be to come. Absent while it is not deprecated.'),
    ),
    replaced_by: Type.Optional(
      uuid('The image to use instead of one that is deprecated. Shown to whoever may see that image.'),
    ),
    protected: Type.Optional(
      Type.Boolean({ description: 'Shown to the owner: true when it is protected from deletion.' }),
    ),
  },
  { description: 'An image in the view of version 3.' },
);
export type ImageV3 = ValueOf<typeof ImageV3>;

/** An image in any view. Only version 3 has all of these fields. */
export type Image = ImageV3;

export const Ancestry = Type.Array(ImageV3, {
  description: 'The image, then its origins down to the base, as far as they are here and the caller may see them.',
});

/**
 * A manifest in a request. `lib/manifest` has a rule for each field, and words for what is wrong with it; so this schema
 * allows anything.
 */
export const Manifest = anything('Fields of an image as it is shown.');
export type Manifest = ValueOf<typeof Manifest>;
