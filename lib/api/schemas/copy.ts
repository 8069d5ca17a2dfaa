/** Copies from another datacenter: their plans and their progress. */
import { Type } from 'typebox';
import { COPY_STATES } from '../copy-states.ts';
import { bytes, date, oneOf, uuid, type ValueOf } from './build.ts';

export const CopyState = oneOf(COPY_STATES);
export type CopyState = ValueOf<typeof CopyState>;

export const COPY_KINDS = ['copy-from-dc', 'import-from-datacenter', 'import-remote'] as const;
export type CopyKind = (typeof COPY_KINDS)[number];

/**
 * How bytes travel: not at all, because another image here has the same; as a second name in a store that both datacenters
 * use; from the source's store; or through its IMGAPI.
 */
export const COPY_SOURCES = ['here', 'link', 'pull-url', 'imgapi'] as const;
export type CopySource = (typeof COPY_SOURCES)[number];
/** Those by which bytes are fetched. */
export type FetchedFrom = Exclude<CopySource, 'here' | 'link'>;

const rate = () => Type.Number({ minimum: 0, description: 'Bytes per second; 0 while no bytes arrive.' });

export const CopyError = Type.Object({ code: Type.String(), message: Type.String() });
export type CopyError = ValueOf<typeof CopyError>;

export const CopyImageStatus = Type.Object(
  {
    uuid: uuid(),
    name: Type.String(),
    version: Type.String(),
    state: oneOf([...COPY_STATES, 'received'] as const, {
      description: '`received`: verified and stored, waiting for the rest of its order.',
    }),
    bytes_done: bytes(),
    bytes_total: bytes(),
    rate: rate(),
    bytes_not_fetched: Type.Optional(bytes('Of `bytes_done`, those that did not have to travel; absent if all did.')),
    source: Type.Optional(
      oneOf(COPY_SOURCES, {
        description:
          'How bytes travel: not at all, because another image here has the same bytes (`here`); as a second name in a store that both datacenters use; from the store of the source; or through its IMGAPI. Absent until the transfer begins.',
      }),
    ),
    attempt: Type.Integer({ minimum: 0, description: 'Number of the attempt, from 1; 0 before the first.' }),
    error: Type.Optional(CopyError),
    note: Type.Optional(
      Type.String({ description: 'What went differently from what was asked, such as a restart from the first byte.' }),
    ),
  },
  {
    description:
      'The progress of one image of a copy. `error` is what failed last, also while it is tried again, until bytes come again, and fast enough.',
  },
);
export type CopyImageStatus = ValueOf<typeof CopyImageStatus>;

export const FieldChange = Type.Object(
  { field: Type.String(), from: Type.Optional(Type.Unknown()), to: Type.Optional(Type.Unknown()) },
  {
    description:
      'A field that a refresh changed, or would change. `from` or `to` is absent where the field is not set.',
  },
);
export type FieldChange = ValueOf<typeof FieldChange>;

export const CopyStatus = Type.Object(
  {
    image_uuid: uuid(),
    order: uuid('UUID of the order, and of its job.'),
    account: Type.Optional(uuid('Who ordered it; absent for an operator.')),
    datacenter: Type.String({ description: 'The source: the name of a datacenter, or the URL of an IMGAPI.' }),
    state: CopyState,
    kind: oneOf(COPY_KINDS, { description: 'What was asked for.' }),
    ordered_by: Type.Optional(
      Type.String({ description: 'The datacenter that ordered it on behalf of the account, see CopyImageToDcs.' }),
    ),
    held: Type.Optional(
      Type.Boolean({ description: 'Its images stay hidden until the datacenter that ordered it releases them.' }),
    ),
    created_at: date(),
    started_at: Type.Optional(date()),
    finished_at: Type.Optional(date()),
    finish_by: Type.Optional(date('When it is to have ended, as whoever ordered it wants.')),
    late_at: Type.Optional(date('When it was first seen that it will not have ended by `finish_by`.')),
    error: Type.Optional(CopyError),
    bytes_done: bytes('Reaches `bytes_total` only when the images are usable.'),
    bytes_total: bytes(),
    bytes_not_fetched: Type.Optional(bytes('Of `bytes_done`, those that did not have to travel; absent if all did.')),
    rate: rate(),
    eta: Type.Optional(Type.Integer({ description: 'Seconds that remain; absent while there is no estimate.' })),
    changes: Type.Optional(
      Type.Array(FieldChange, {
        description: 'For an image that is already here: what a refresh changed, or would change.',
      }),
    ),
    images: Type.Array(CopyImageStatus, { description: 'Base first.' }),
  },
  { description: 'An order to copy an image and its origins from another datacenter, and its progress.' },
);
export type CopyStatus = ValueOf<typeof CopyStatus>;

export const CopyPlan = Type.Object(
  {
    image_uuid: uuid(),
    datacenter: Type.String(),
    images: Type.Array(
      Type.Object({
        uuid: uuid(),
        name: Type.String(),
        version: Type.String(),
        size: bytes(),
        here: Type.Boolean(),
        action: oneOf(['copy', 'here', 'attach'], { description: '`attach`: another order is already copying it.' }),
      }),
      { description: 'Base first.' },
    ),
    bytes_total: bytes(),
    bytes_to_copy: bytes(),
  },
  { description: 'What a copy would bring.' },
);
export type CopyPlan = ValueOf<typeof CopyPlan>;
