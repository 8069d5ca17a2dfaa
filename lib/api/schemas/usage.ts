/** Who uses an image. */
import { Type } from 'typebox';
import { hex, oneOf, uuid, type ValueOf } from './build.ts';
import { IMAGE_STATES_V3 } from './image.ts';

const isComplete = Type.Boolean({ description: 'False when there are more than are listed and counted.' });
const count = Type.Integer({ minimum: 0, description: 'How many are listed.' });

const UsageError = Type.Object(
  { code: Type.String(), message: Type.String() },
  { description: 'Why nothing is known at the moment.' },
);

const Derived = Type.Object({
  uuid: uuid(),
  name: Type.String(),
  version: Type.String(),
  owner: Type.Optional(uuid()),
  state: oneOf(IMAGE_STATES_V3),
  origin: uuid('The image that it builds on: this one, or another one of the list.'),
});

const Holder = Type.Object({
  datacenter: Type.String(),
  state: Type.Optional(Type.String({ description: 'As it says itself.' })),
  sha1: Type.Optional(hex(40, 'Of the first file, as it says itself.')),
  recorded: Type.Optional(
    Type.Boolean({ description: 'True when a copy to or from it is recorded here, and it did not say more just now.' }),
  ),
  error: Type.Optional(UsageError),
});

const Instance = Type.Object({
  uuid: uuid(),
  alias: Type.Optional(Type.String()),
  owner: Type.Optional(uuid()),
  state: Type.Optional(Type.String()),
});

export const ImageUsage = Type.Object(
  {
    uuid: uuid(),
    derived: Type.Object(
      { count, complete: isComplete, images: Type.Array(Derived) },
      { description: 'Images that build on it, directly or by way of others that the caller sees.' },
    ),
    datacenters: Type.Optional(
      Type.Array(Holder, { description: 'To the owner and operators: other datacenters that have it.' }),
    ),
    instances: Type.Optional(
      Type.Object(
        {
          count,
          complete: isComplete,
          instances: Type.Array(Instance),
          error: Type.Optional(UsageError),
        },
        {
          description:
            "Machines made of it, as VMAPI says; an account's own only. Absent where no VMAPI is configured.",
        },
      ),
    ),
  },
  { description: 'Who uses an image, as far as the caller may see it.' },
);
export type ImageUsage = ValueOf<typeof ImageUsage>;
