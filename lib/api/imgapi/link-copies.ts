/**
 * What a linked datacenter orders here: copies of images that it has, on behalf of their owner. The other side of
 * CopyImageToDcs; allowed by `links.acceptOrders` only.
 */
import { Type } from 'typebox';
import { flag, known, needed, text, uuid } from '../parameters.ts';
import { LinkCopy } from '../schemas/link.ts';
import { Nothing } from '../schemas/service.ts';
import { FINISH_BY, ORDER_ERRORS } from './copies.ts';
import type { ImgapiOperations } from './form.ts';

const ERRORS = ['TooManyRequests', 'Conflict', 'RequestEntityTooLarge', 'Forbidden', 'ValidationFailed'] as const;

/** Signed with a current key of a linked datacenter; it must name the account that the copy is for. */
const signed = { since: 1, auth: 'strict', callers: ['datacenter'] } as const;
const account = known('The account on whose behalf the other datacenter asks.');
const query = Type.Object({ account });
const ofOrder = {
  ...signed,
  params: Type.Object({ uuid: uuid('The order, as LinkOrderCopy answered it.') }),
  query,
  replies: [{ status: 200, json: LinkCopy }],
} as const;

function place(message: string) {
  return { error: 'ValidationFailed', missing: { kind: 'MissingParameter', message, also: ['empty'] } } as const;
}

export const LINK_COPIES = {
  LinkOrderCopy: {
    ...signed,
    summary: 'Orders a copy of an image of the caller, as CopyImageFromDc would; asking again answers the same order.',
    method: 'POST',
    path: '/link/copies',
    query: Type.Object({
      account,
      image: needed(uuid('The image.'), place('name the image to copy')),
      fan_out: needed(uuid('The fan-out of the caller.'), place('name the fan-out that the order belongs to')),
      finish_by: Type.Optional(text(`${FINISH_BY} One that has passed is taken too.`)),
      hold: Type.Optional(flag('Keep the images hidden until LinkReleaseCopy.')),
    }),
    body: { signed: Nothing, optional: true },
    replies: [{ status: 200, json: LinkCopy }],
    errors: [...ERRORS, ...ORDER_ERRORS, 'OwnerDoesNotExist'],
  },

  LinkGetCopy: {
    ...ofOrder,
    summary: 'Returns how far a copy is that brings an image of the caller.',
    method: 'GET',
    path: '/link/copies/:uuid',
    errors: [...ERRORS, 'ResourceNotFound'],
  },

  LinkReleaseCopy: {
    ...ofOrder,
    summary: 'Shows the images of a held order as soon as they are here.',
    method: 'POST',
    path: '/link/copies/:uuid/release',
    body: { signed: Nothing, optional: true },
    errors: [...ERRORS, 'ResourceNotFound'],
  },

  LinkCancelCopy: {
    ...ofOrder,
    summary: 'Cancels an order of the caller; one that has ended stays as it is.',
    method: 'POST',
    path: '/link/copies/:uuid/cancel',
    body: { signed: Nothing, optional: true },
    errors: [...ERRORS, 'ResourceNotFound'],
  },
} as const satisfies ImgapiOperations;
