/** How many images and bytes an account may keep. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { uuid } from '../parameters.ts';
import { Quota, QuotaLimits } from '../schemas/quota.ts';
import { accountQuery, type ImgapiOperations } from './form.ts';

const quota = { since: 3, where: 'accounts', auth: 'strict', query: accountQuery } as const;

const ofAccount = {
  ...quota,
  path: '/quotas/:uuid',
  params: Type.Object({ uuid: uuid('The account.') }),
  replies: [{ status: 200, json: Quota }],
} as const;

const forOperators = { ...ofAccount, callers: ['operator'] } as const;

export const QUOTAS = {
  GetQuota: {
    ...ofAccount,
    summary: 'Returns what an account may keep here, and what it has.',
    description: 'An account gets its own.',
    method: 'GET',
    callers: ['owner', 'operator'],
    errors: ['ResourceNotFound'],
  },

  ListQuotas: {
    ...quota,
    summary: 'Lists the accounts that have limits of their own, with what they have.',
    method: 'GET',
    path: '/quotas',
    callers: ['operator'],
    replies: [{ status: 200, json: Type.Array(Quota) }],
    errors: ['OperatorOnly'],
  },

  SetQuota: {
    ...forOperators,
    summary: 'Gives an account limits of its own.',
    description:
      'What the body does not name stays as it is. Nothing goes when there is more already; nothing more comes then.',
    method: 'PUT',
    body: { json: QuotaLimits },
    errors: [...BODY_ERRORS, 'OperatorOnly', 'ResourceNotFound', 'ValidationFailed', 'Conflict'],
  },

  UnsetQuota: {
    ...forOperators,
    summary: 'Has the defaults of the configuration hold for an account again.',
    method: 'DELETE',
    errors: ['OperatorOnly', 'ResourceNotFound', 'Conflict'],
  },
} as const satisfies ImgapiOperations;
