/** What happened to images. */
import { Type } from 'typebox';
import { EVENT_KINDS } from '../event-kinds.ts';
import { integer, oneOf, text, uuid } from '../parameters.ts';
import { ImageEvent } from '../schemas/event.ts';
import { accountQuery, type ImgapiOperations, imageParams } from './form.ts';

const nextPage = Type.Object({
  link: Type.Optional(Type.String({ description: '`<…>; rel="next"`, unless this is the last page.' })),
});

const page = {
  kind: Type.Optional(oneOf(EVENT_KINDS, 'Only events of this kind.')),
  limit: Type.Optional(integer(1, 1000, 'At most this many; default 100.')),
  marker: Type.Optional(uuid('ID of an event: the list begins there, inclusive.')),
};

const list = {
  method: 'GET',
  since: 3,
  auth: 'strict',
  replies: [{ status: 200, json: Type.Array(ImageEvent), headers: nextPage }],
} as const;

export const EVENTS = {
  ListImageEvents: {
    ...list,
    summary: 'Lists what happened to an image, newest first; for those who own or owned it, and for operators.',
    description:
      'An account reads of what happened while it owned the image, also when that is deleted or has another owner now. Operators read everything. The link to the next page goes on where this one ends.',
    path: '/images/:uuid/events',
    callers: ['owner', 'operator'],
    params: imageParams,
    query: Type.Object({ ...accountQuery.properties, ...page }),
    errors: ['ResourceNotFound'],
  },

  ListEvents: {
    ...list,
    summary: 'Lists what happened to all images, newest first.',
    path: '/events',
    callers: ['stranger', 'operator'],
    query: Type.Object({
      account: Type.Optional(uuid('Only what this account may read: what happened to images while it owned them.')),
      ...page,
      since: Type.Optional(text('A date: only events from then on.')),
    }),
    errors: ['InvalidParameter'],
  },
} as const satisfies ImgapiOperations;
