/** What an account may keep, and what it has. */
import { Type } from 'typebox';
import { bytes, uuid, type ValueOf } from './build.ts';

const images = Type.Integer({ minimum: 0 });

export const QuotaLimits = Type.Object(
  {
    images: Type.Optional(Type.Union([images, Type.Null()])),
    bytes: Type.Optional(Type.Union([bytes(), Type.Null()])),
  },
  { description: 'null: no limit.' },
);
export type QuotaLimits = ValueOf<typeof QuotaLimits>;

export const Quota = Type.Object(
  {
    account: uuid('Whose it is.'),
    limits: Type.Object(
      { images: Type.Union([images, Type.Null()]), bytes: Type.Union([bytes(), Type.Null()]) },
      { description: 'What holds for the account; null: no limit.' },
    ),
    own: QuotaLimits,
    used: Type.Object(
      { images, bytes: bytes('Of files and icons, as they are stored.') },
      {
        description:
          'What counts: all its images, deleted ones that can still be restored and copies under way included.',
      },
    ),
    reserved: bytes('Of uploads that are under way; they count as well.'),
  },
  { description: '`own` are the numbers that operators gave the account, where the defaults do not hold.' },
);
export type Quota = ValueOf<typeof Quota>;
