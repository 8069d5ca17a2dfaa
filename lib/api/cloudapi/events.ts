/** What happened to the account's images. */
import { Type } from 'typebox';
import { EVENT_KINDS } from '../event-kinds.ts';
import { integer, oneOf, uuid } from '../parameters.ts';
import { ImageEvent } from '../schemas/event.ts';
import { type CloudapiOperations, imageParams, signed } from './form.ts';

export const EVENTS = {
  ListImageEvents: {
    ...signed,
    summary: "Lists what happened to an image while it was the account's, newest first; also when it is deleted.",
    method: 'GET',
    path: '/:account/images/:id/events',
    callers: ['owner'],
    params: imageParams,
    query: Type.Object({
      kind: Type.Optional(oneOf(EVENT_KINDS, 'Only events of this kind.')),
      limit: Type.Optional(integer(1, 1000, 'At most this many; default 100.')),
      marker: Type.Optional(uuid('ID of an event: the list begins there, inclusive.')),
    }),
    replies: [{ status: 200, json: Type.Array(ImageEvent) }],
    errors: ['InvalidArgument', 'InvalidParameter', 'ResourceNotFound'],
  },
} as const satisfies CloudapiOperations;
