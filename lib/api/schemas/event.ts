/** What happened to images, and who did it. */
import { Type } from 'typebox';
import { EVENT_KINDS } from '../event-kinds.ts';
import { bytes, date, oneOf, strings, uuid, type ValueOf } from './build.ts';

const EventKind = oneOf(EVENT_KINDS);

export const EventActor = Type.Object({
  kind: oneOf(['account', 'operator', 'datacenter'] as const),
  account: Type.Optional(uuid('Of an account.')),
  login: Type.Optional(Type.String({ description: 'What the account is called now; absent while that is unknown.' })),
  datacenter: Type.Optional(Type.String({ description: 'The name of the linked datacenter.' })),
});
export type EventActor = ValueOf<typeof EventActor>;

export const EventDetails = Type.Object(
  {
    fields: Type.Optional(strings('Of `update`: which fields changed, without their values.')),
    entries: Type.Optional(strings('Of `share`, `unshare` and `accept`: the entries, as they were typed.')),
    file: Type.Optional(oneOf(['file', 'icon'] as const, { description: 'Of `upload`.' })),
    sha1: Type.Optional(Type.String({ description: 'Of `upload` and `pull`: the hash of the bytes.' })),
    size: Type.Optional(bytes()),
    from: Type.Optional(uuid('The image that it was cloned from, or the UUID that it had before.')),
    to: Type.Optional(uuid('The UUID that it has from then on.')),
    order: Type.Optional(uuid('Of copies: the order, which is also the job.')),
    source: Type.Optional(Type.String({ description: 'Of copies: the datacenter, or the URL of the IMGAPI.' })),
    finish_by: Type.Optional(date('Of `copy-late`: when it was to end.')),
    error: Type.Optional(Type.String({ description: 'Of `copy-failed`: the code of the error.' })),
  },
  { description: 'What the kind of event has to say besides; never a secret.' },
);
export type EventDetails = ValueOf<typeof EventDetails>;

export const ImageEvent = Type.Object({
  id: uuid('Its order is that of time.'),
  time: date(),
  kind: EventKind,
  image: uuid(),
  actor: EventActor,
  request_id: Type.Optional(Type.String({ description: 'Of the request, as the logs have it.' })),
  details: EventDetails,
});
export type ImageEvent = ValueOf<typeof ImageEvent>;
