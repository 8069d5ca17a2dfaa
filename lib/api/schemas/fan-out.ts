/** One order to many datacenters, and how far each of them is. */
import { Type } from 'typebox';
import { bytes, date, oneOf, uuid, type ValueOf } from './build.ts';
import { CopyError } from './copy.ts';

export const FAN_OUT_STATES = ['running', 'succeeded', 'failed', 'canceled'] as const;
export type FanOutState = (typeof FAN_OUT_STATES)[number];

export const TARGET_STATES = ['waiting', 'copying', 'verified', 'succeeded', 'failed', 'canceled'] as const;
export type TargetState = (typeof TARGET_STATES)[number];

const FanOutTarget = Type.Object({
  datacenter: Type.String(),
  state: oneOf(TARGET_STATES, {
    description:
      '`waiting`: it has not taken the order yet. `verified`: with `together`, all bytes are there and right, and nobody sees the image yet.',
  }),
  order: Type.Optional(uuid('The order there.')),
  bytes_done: bytes(),
  bytes_total: bytes(),
  rate: Type.Number({ minimum: 0, description: 'Bytes per second.' }),
  tries: Type.Integer({ minimum: 0, description: 'Calls in a row that failed, or that nobody knows the end of.' }),
  error: Type.Optional(CopyError),
});

export const FanOut = Type.Object(
  {
    uuid: uuid(),
    image_uuid: uuid(),
    account: uuid('The owner of the image.'),
    state: oneOf(FAN_OUT_STATES),
    together: Type.Boolean({ description: 'The image is shown nowhere before it is verified everywhere.' }),
    released: Type.Boolean({ description: 'With `together`: it is verified everywhere, and is being shown.' }),
    created_at: date(),
    finish_by: Type.Optional(date('When the copies are to have ended, as whoever ordered them wants.')),
    finished_at: Type.Optional(date()),
    datacenters: Type.Array(FanOutTarget),
  },
  { description: 'An order to copy an image to several datacenters.' },
);
export type FanOut = ValueOf<typeof FanOut>;
