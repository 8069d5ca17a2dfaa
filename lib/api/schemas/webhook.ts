/** Who is told of copies and fan-outs that ended, and how that goes. */
import { Type } from 'typebox';
import { date, oneOf, strings, uuid, type ValueOf } from './build.ts';
import { COPY_KINDS } from './copy.ts';
import { TARGET_STATES } from './fan-out.ts';

const COPY_EVENTS = ['copy-done', 'copy-failed', 'copy-canceled'] as const;
export type CopyWebhookEvent = (typeof COPY_EVENTS)[number];

const FAN_OUT_EVENTS = ['fan-out-done', 'fan-out-failed', 'fan-out-canceled', 'fan-out-blocked'] as const;
export type FanOutWebhookEvent = (typeof FAN_OUT_EVENTS)[number];

export const WEBHOOK_EVENTS = [...COPY_EVENTS, ...FAN_OUT_EVENTS] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

const error = Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }));

export const CopyMessage = Type.Object(
  {
    id: uuid('The same whenever this message is sent again.'),
    event: oneOf(COPY_EVENTS),
    datacenter: Type.Optional(Type.String({ description: 'The one that has, or should have, the images.' })),
    order: uuid('The order, which is also the job.'),
    kind: oneOf(COPY_KINDS),
    ordered_by: Type.Optional(
      Type.String({ description: 'The datacenter that ordered it on behalf of the account: it is tried again there.' }),
    ),
    fan_out: Type.Optional(uuid('The order to several datacenters that it is part of, in that datacenter.')),
    held: Type.Optional(
      Type.Boolean({ description: 'The images were to stay hidden until that datacenter released them (`together`).' }),
    ),
    image: uuid('The image that was asked for.'),
    images: strings('UUIDs of all images of the order, base first.'),
    source: Type.String({ description: 'The datacenter, or the URL of the IMGAPI, that they come from.' }),
    account: Type.Optional(uuid('Who asked; absent: an operator.')),
    finish_by: Type.Optional(date('By when it was to have ended.')),
    error,
    request_id: Type.Optional(Type.String({ description: 'Of the request that ordered it.' })),
    created_at: date('When it was ordered.'),
    finished_at: date(),
  },
  { description: 'The body of a webhook about one order: enough to order the copy again.' },
);
export type CopyMessage = ValueOf<typeof CopyMessage>;

export const FanOutMessage = Type.Object(
  {
    id: uuid('The same whenever this message is sent again.'),
    event: oneOf(FAN_OUT_EVENTS),
    datacenter: Type.Optional(Type.String({ description: 'The one that has the image, and orders the copies.' })),
    fan_out: uuid('The order to several datacenters.'),
    image: uuid(),
    account: uuid('The owner of the image, for whom all of it is done.'),
    together: Type.Boolean({ description: 'The image is shown nowhere before it is verified everywhere.' }),
    released: Type.Boolean({ description: 'With `together`: it is shown where it is.' }),
    datacenters: Type.Array(
      Type.Object({
        datacenter: Type.String(),
        state: oneOf(TARGET_STATES),
        order: Type.Optional(uuid('The order there.')),
        error,
      }),
    ),
    finish_by: Type.Optional(date('By when it was to have ended.')),
    created_at: date('When it was ordered.'),
    finished_at: Type.Optional(date('Absent on `fan-out-blocked`.')),
  },
  { description: 'The body of a webhook about an order to several datacenters: enough to try them again.' },
);
export type FanOutMessage = ValueOf<typeof FanOutMessage>;

export type WebhookMessage = CopyMessage | FanOutMessage;

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
