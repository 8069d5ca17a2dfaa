/** Deleted images that can still be restored. */
import { Type } from 'typebox';
import { IMAGE_OSES, IMAGE_TYPES } from '../../manifest/record.ts';
import { bytes, date, oneOf, uuid, type ValueOf } from './build.ts';

export const DeletedImage = Type.Object(
  {
    uuid: uuid(),
    name: Type.String(),
    version: Type.String(),
    owner: Type.Optional(uuid('Account UUID.')),
    type: Type.Optional(oneOf(IMAGE_TYPES)),
    os: Type.Optional(oneOf(IMAGE_OSES)),
    origin: Type.Optional(uuid('The image that it builds on, which has to be here before it is restored.')),
    size: bytes('Bytes of its files and its icon, which are stored until it goes.'),
    deleted_at: date(),
    goes_at: date('When it can be restored no longer, and its bytes go.'),
  },
  { description: 'A deleted image that can still be restored.' },
);
export type DeletedImage = ValueOf<typeof DeletedImage>;
