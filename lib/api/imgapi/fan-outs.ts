/** One order to many: the datacenter that has an image orders its copies in others, and keeps at it until they are there. */
import { Type } from 'typebox';
import { flag, integer, needed, text, uuid } from '../parameters.ts';
import { FanOut } from '../schemas/fan-out.ts';
import { imageAction } from './actions.ts';
import { FINISH_BY, NAME_THE_OWNER } from './copies.ts';
import { accountQuery, type ImgapiOperations } from './form.ts';

const one = {
  path: '/fan-outs/:uuid',
  since: 3,
  where: 'accounts',
  auth: 'strict',
  callers: ['owner', 'operator'],
  params: Type.Object({ uuid: uuid('The fan-out.') }),
  replies: [{ status: 200, json: FanOut }],
} as const;

export const FAN_OUTS = {
  CopyImageToDcs: {
    ...imageAction,
    summary: 'Orders copies of an image in several linked datacenters, as one order that is kept at until all have it.',
    description:
      'Each of them must accept orders of this one (`links.acceptOrders` there). One that cannot be reached is tried again for `copies.giveUpAfterSeconds`. With `together`, the image is shown in none of them before all have verified its bytes.',
    action: 'copy-to-dcs',
    since: 3,
    where: 'accounts',
    callers: ['owner'],
    query: Type.Object({
      account: needed(uuid('The account that owns the image.'), {
        error: 'ValidationFailed',
        missing: { kind: 'Invalid', message: NAME_THE_OWNER, also: ['empty'] },
      }),
      datacenters: needed(text('Names with commas between them, or `all` for every linked datacenter.'), {
        error: 'ValidationFailed',
        missing: { kind: 'MissingParameter', message: 'name the datacenters to copy to, or "all"', also: ['empty'] },
      }),
      together: Type.Optional(flag('Show it nowhere before it is verified everywhere.')),
      finish_by: Type.Optional(text(`${FINISH_BY} Each of the datacenters is told.`)),
    }),
    replies: [{ status: 200, json: FanOut }],
    errors: ['ResourceNotFound', 'ValidationFailed', 'NotImageOwner', 'Conflict'],
  },

  ListFanOuts: {
    summary: 'Lists orders to several datacenters, newest first.',
    method: 'GET',
    path: '/fan-outs',
    since: 3,
    where: 'accounts',
    auth: 'strict',
    callers: ['stranger', 'operator'],
    query: Type.Object({
      ...accountQuery.properties,
      image: Type.Optional(uuid('Of this image.')),
      limit: Type.Optional(integer(1, 1000, 'At most this many; default 100.')),
    }),
    replies: [{ status: 200, json: Type.Array(FanOut) }],
    errors: [],
  },

  GetFanOut: {
    ...one,
    summary: 'Returns an order to several datacenters, and how far each of them is.',
    method: 'GET',
    query: accountQuery,
    errors: ['ResourceNotFound'],
  },

  CancelFanOut: {
    ...one,
    summary: 'Cancels what is not ended yet of an order to several datacenters.',
    method: 'DELETE',
    query: accountQuery,
    errors: ['ResourceNotFound', 'CopyAlreadyFinished', 'Conflict'],
  },

  RetryFanOut: {
    ...one,
    summary: 'Tries the datacenters again in which the copy failed or was canceled.',
    method: 'POST',
    path: '/fan-outs/:uuid/retry',
    query: Type.Object({
      ...accountQuery.properties,
      datacenter: Type.Optional(text('Only this one.')),
      finish_by: Type.Optional(
        text(`${FINISH_BY} It takes the place of the earlier one, for those that are tried again.`),
      ),
    }),
    errors: ['ResourceNotFound', 'ValidationFailed', 'Conflict'],
  },
} as const satisfies ImgapiOperations;
