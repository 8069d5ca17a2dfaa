/** Uploads that survive their connection. */
import { Type } from 'typebox';
import { COMPRESSIONS } from '../../manifest/record.ts';
import { bytes, date, hex, oneOf, uuid, type ValueOf } from './build.ts';

export const Upload = Type.Object(
  {
    uuid: uuid('The upload.'),
    image_uuid: uuid('The image whose file it is.'),
    size: bytes('Of the whole file.'),
    offset: bytes('Bytes that are safe; the next ones begin here.'),
    sha1: hex(40, 'Of the whole file.'),
    compression: oneOf(COMPRESSIONS),
    created_at: date(),
    expires_at: date('When it is given up, if no bytes come until then.'),
  },
  { description: 'An upload that goes on where it stopped.' },
);
export type Upload = ValueOf<typeof Upload>;
