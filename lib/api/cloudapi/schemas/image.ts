/** An image as CloudAPI shows it: some fields have other names than in IMGAPI, and older versions have fewer. */
import { Type } from 'typebox';
import { COMPRESSIONS, IMAGE_OSES, IMAGE_TYPES } from '../../../manifest/record.ts';
import { anything, bytes, date, hex, oneOf, strings, uuid, type ValueOf } from '../../schemas/build.ts';
import { IMAGE_STATES_V3 } from '../../schemas/image.ts';

const MACHINE_TYPES = ['smartmachine', 'virtualmachine'] as const;

const megabytes = () => Type.Optional(Type.Integer({ description: 'MiB.' }));

const FIELDS = {
  id: uuid(),
  name: Type.String(),
  version: Type.String(),
  os: Type.Optional(oneOf(IMAGE_OSES, { description: 'Absent on placeholders.' })),
  requirements: Type.Object(
    {
      max_memory: megabytes(),
      max_ram: megabytes(),
      min_memory: megabytes(),
      min_ram: megabytes(),
      brand: Type.Optional(Type.String()),
      bootrom: Type.Optional(Type.String()),
    },
    { description: 'Requirements of an instance.' },
  ),
  description: Type.Optional(Type.String()),
  files: Type.Optional(
    Type.Array(
      Type.Object({
        compression: oneOf(COMPRESSIONS),
        sha1: hex(40, 'SHA-1 of the bytes, as hex.'),
        size: bytes(),
      }),
      { description: 'The first one.' },
    ),
  ),
  image_size: Type.Optional(Type.Integer({ description: 'Size of the disk in MiB; only for type zvol.' })),
  tags: Type.Optional(anything('By name.')),
  homepage: Type.Optional(Type.String({ description: 'URL.' })),
  published_at: Type.Optional(date('When it was activated; absent before.')),
};

/** Fields of the versions in which accounts make and share images of their own. */
const MANAGEMENT = {
  owner: Type.Optional(uuid('Account UUID.')),
  owner_login: Type.Optional(Type.String({ description: 'Left out while the directory is down.' })),
  public: Type.Optional(Type.Boolean({ description: 'Every account may use it.' })),
  state: Type.Optional(oneOf(IMAGE_STATES_V3)),
  eula: Type.Optional(Type.String({ description: "URL of the user's licence." })),
  acl: Type.Optional(
    strings('Whom it is shared with, as the owner typed it: UUIDs and logins. A sharee sees only its own UUID.'),
  ),
  shared_with: Type.Optional(strings('To the owner: the same as `acl`.')),
  shared_as: Type.Optional(strings('To an account that it is shared with: the entries of the ACL that reach it.')),
  left_by: Type.Optional(
    strings('To the owner: the entries whose account left. They open nothing until they are added again.'),
  ),
  accepted_by: Type.Optional(strings('To the owner: the entries whose account accepted the image.')),
  origin: Type.Optional(uuid('The image that this one builds on.')),
  copied_from: Type.Optional(
    Type.Object({ datacenter: Type.String(), at: date() }, { description: 'To the owner: where it was copied from.' }),
  ),
  cloned_from: Type.Optional(
    Type.Object({ uuid: uuid(), owner: uuid() }, { description: 'To the owner: what it was cloned from.' }),
  ),
  deprecated_at: Type.Optional(
    date('Its owner advises against it from then on; this may be to come. Absent while it is not deprecated.'),
  ),
  replaced_by: Type.Optional(uuid('The image to use instead, if the account may see that one.')),
  error: Type.Optional(
    Type.Object(
      { code: Type.Optional(Type.String()), message: Type.Optional(Type.String()) },
      { description: 'Why the image is in state failed.' },
    ),
  ),
};

const machineType = Type.Optional(oneOf(MACHINE_TYPES, { description: 'The kind of machine made of it.' }));

export const ImageV70 = Type.Object({ ...FIELDS, type: machineType }, { description: 'An image in version 7.0.' });

export const ImageV71 = Type.Object(
  { ...FIELDS, ...MANAGEMENT, type: machineType },
  { description: 'An image in versions 7.1 to 7.3.' },
);

export const ImageV80 = Type.Object(
  {
    ...FIELDS,
    ...MANAGEMENT,
    type: Type.Optional(oneOf(IMAGE_TYPES, { description: 'Form of the file. Absent on placeholders.' })),
  },
  { description: 'An image in versions 8 and 9.' },
);
export type CloudapiImage = ValueOf<typeof ImageV80>;

/** In any version; a version leaves out fields that it does not have. */
export type AnyCloudapiImage = Omit<CloudapiImage, 'type'> & Pick<CloudapiImage | ValueOf<typeof ImageV71>, 'type'>;
