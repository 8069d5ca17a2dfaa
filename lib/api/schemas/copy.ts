/** Copies from another datacenter: what would come, and how it goes. */
import { Type } from 'typebox';
import { COPY_STATES } from '../copy-states.ts';
import { bytes, date, oneOf, uuid, type ValueOf } from './build.ts';

export const CopyState = oneOf(COPY_STATES);
export type CopyState = ValueOf<typeof CopyState>;

export const COPY_KINDS = ['copy-from-dc', 'import-from-datacenter', 'import-remote'] as const;
export type CopyKind = (typeof COPY_KINDS)[number];

/** How bytes travel: a second name in a store that both datacenters use, the source's store, or its IMGAPI. */
export const COPY_SOURCES = ['link', 'pull-url', 'imgapi'] as const;
export type CopySource = (typeof COPY_SOURCES)[number];

const rate = () => Type.Number({ minimum: 0, description: 'Bytes per second; 0 while nothing flows.' });

export const CopyError = Type.Object({ code: Type.String(), message: Type.String() });
export type CopyError = ValueOf<typeof CopyError>;

export const CopyImageStatus = Type.Object(
  {
    uuid: uuid(),
    name: Type.String(),
    version: Type.String(),
    state: oneOf([...COPY_STATES, 'received'] as const, {
      description: '`received`: verified and in its place, waiting for the rest of its order.',
    }),
    bytes_done: bytes(),
    bytes_total: bytes(),
    rate: rate(),
    source: Type.Optional(
      oneOf(COPY_SOURCES, {
        description:
          'How bytes travel: as a second name in a store that both datacenters use, from the store of the source, or through its IMGAPI. Absent until they flow.',
      }),
    ),
    attempt: Type.Integer({ minimum: 0, description: 'Counts the tries, from 1; 0 before the first.' }),
    error: Type.Optional(CopyError),
    note: Type.Optional(
      Type.String({ description: 'What went otherwise than asked, such as a restart from the first byte.' }),
    ),
  },
  { description: 'How far one image of a copy is. `error` is the last failure, also while it is being retried.' },
);
export type CopyImageStatus = ValueOf<typeof CopyImageStatus>;

export const FieldChange = Type.Object(
  { field: Type.String(), from: Type.Optional(Type.Unknown()), to: Type.Optional(Type.Unknown()) },
  { description: 'A field that a recopy changed, or would change. `from` and `to` are absent where it is not set.' },
);
export type FieldChange = ValueOf<typeof FieldChange>;

export const CopyStatus = Type.Object(
  {
    image_uuid: uuid(),
    order: uuid("UUID of the order, also its job's."),
    account: Type.Optional(uuid('Who asked; absent: an operator.')),
    datacenter: Type.String({ description: 'Where it comes from: a name, or the URL of an IMGAPI.' }),
    state: CopyState,
    kind: oneOf(COPY_KINDS, { description: 'What was asked for.' }),
    created_at: date(),
    started_at: Type.Optional(date()),
    finished_at: Type.Optional(date()),
    error: Type.Optional(CopyError),
    bytes_done: bytes('All of them only when the images are usable.'),
    bytes_total: bytes(),
    rate: rate(),
    eta: Type.Optional(Type.Integer({ description: 'Seconds; absent while it cannot be told.' })),
    changes: Type.Optional(
      Type.Array(FieldChange, { description: 'Of an image that is here already: what a refresh changed, or would.' }),
    ),
    images: Type.Array(CopyImageStatus, { description: 'Base first.' }),
  },
  { description: 'An order to bring an image and its chain from another datacenter, and how far it is.' },
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
        action: oneOf(['copy', 'here', 'attach'], { description: '`attach`: another order brings it already.' }),
      }),
      { description: 'Base first.' },
    ),
    bytes_total: bytes(),
    bytes_to_copy: bytes(),
  },
  { description: 'What a copy would bring.' },
);
export type CopyPlan = ValueOf<typeof CopyPlan>;
