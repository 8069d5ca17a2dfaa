/** Who is told of copies that ended, and how that goes. */
import { Type } from 'typebox';
import { date, oneOf, strings, uuid, type ValueOf } from './build.ts';
import { COPY_KINDS } from './copy.ts';

export const WEBHOOK_EVENTS = ['copy-done', 'copy-failed', 'copy-canceled'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const WebhookMessage = Type.Object(
  {
    id: uuid('The same whenever this message is sent again.'),
    event: oneOf(WEBHOOK_EVENTS),
    datacenter: Type.Optional(Type.String({ description: 'The one that has, or should have, the images.' })),
    order: uuid('The order, which is also the job.'),
    kind: oneOf(COPY_KINDS),
    image: uuid('The image that was asked for.'),
    images: strings('UUIDs of all images of the order, base first.'),
    source: Type.String({ description: 'The datacenter, or the URL of the IMGAPI, that they come from.' }),
    account: Type.Optional(uuid('Who asked; absent: an operator.')),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
    request_id: Type.Optional(Type.String({ description: 'Of the request that ordered it.' })),
    created_at: date('When it was ordered.'),
    finished_at: date(),
  },
  { description: 'The body of a webhook: enough to order the copy again.' },
);
export type WebhookMessage = ValueOf<typeof WebhookMessage>;

export const WebhookAnswer = Type.Object(
  {
    time: date(),
    id: uuid('The message.'),
    status: Type.Optional(Type.Integer({ description: 'The status of the answer; absent if there was none.' })),
    error: Type.Optional(Type.String({ description: 'Why it does not count as delivered.' })),
  },
  { description: 'How the last message was answered.' },
);
export type WebhookAnswer = ValueOf<typeof WebhookAnswer>;

export const WebhookStatus = Type.Object({
  name: Type.String(),
  url: Type.String({ description: 'Without its query.' }),
  events: Type.Array(oneOf(WEBHOOK_EVENTS)),
  queued: Type.Integer({ minimum: 0, description: 'Messages that are still to be delivered.' }),
  given_up: Type.Integer({ minimum: 0, description: 'Messages that could not be delivered for a day.' }),
  oldest: Type.Optional(date('When the oldest of the queued ones was written.')),
  last: Type.Optional(WebhookAnswer),
});
export type WebhookStatus = ValueOf<typeof WebhookStatus>;

export const WebhookRetry = Type.Object({
  retried: Type.Integer({ minimum: 0, description: 'Messages that are sent again now.' }),
});
