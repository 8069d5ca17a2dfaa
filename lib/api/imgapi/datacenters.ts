/** Administration of links between datacenters: for operators on this machine. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { flag } from '../parameters.ts';
import {
  Datacenter,
  LinkCheckReport,
  LinkReport,
  LinkRequest,
  LinkTerms,
  NewLinkToken,
  RotateReport,
  UnlinkReport,
} from '../schemas/datacenter.ts';
import { account, accountQuery, type ImgapiOperations } from './form.ts';

const administration = { since: 1, auth: 'operator', callers: ['operator'] } as const;
const named = { params: Type.Object({ name: Type.String({ description: 'The other datacenter.' }) }) } as const;

export const DATACENTERS = {
  ListDatacenters: {
    summary: 'Lists the datacenters that images can be copied from, and the state of their links.',
    method: 'GET',
    path: '/datacenters',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    query: accountQuery,
    replies: [{ status: 200, json: Type.Array(Datacenter) }],
    errors: ['OperatorOnly'],
  },

  CreateLinkToken: {
    ...administration,
    summary: 'Creates a token with which another datacenter can link this one, once, within ten minutes.',
    method: 'POST',
    path: '/datacenters/token',
    query: accountQuery,
    body: { json: LinkTerms, optional: true, check: 'fields' },
    replies: [{ status: 200, json: NewLinkToken }],
    errors: [...BODY_ERRORS, 'OperatorOnly', 'NotAvailable'],
  },

  RotateLinkKey: {
    ...administration,
    summary: 'Makes a new link key and announces it to all linked datacenters.',
    method: 'POST',
    path: '/datacenters/rotate-key',
    query: Type.Object({ account, drop: Type.Optional(flag('Stop using the old key.')) }),
    replies: [{ status: 200, json: RotateReport }],
    errors: ['OperatorOnly', 'Conflict', 'NotAvailable'],
  },

  LinkDatacenter: {
    ...administration,
    summary: 'Links another datacenter, with a token that was made there.',
    method: 'POST',
    path: '/datacenters',
    query: accountQuery,
    body: { json: LinkRequest, check: 'fields' },
    replies: [{ status: 200, json: LinkReport }],
    errors: [
      ...BODY_ERRORS,
      'OperatorOnly',
      'ValidationFailed',
      'NotAvailable',
      'Forbidden',
      'LinkAlreadyExists',
      'RemoteSourceError',
      'Conflict',
    ],
  },

  CheckDatacenter: {
    ...administration,
    ...named,
    summary: 'Tests a link in both directions.',
    method: 'POST',
    path: '/datacenters/:name/check',
    query: accountQuery,
    replies: [{ status: 200, json: LinkCheckReport }],
    errors: ['OperatorOnly', 'ResourceNotFound'],
  },

  UnlinkDatacenter: {
    ...administration,
    ...named,
    summary: 'Ends a link and removes all of its pull links.',
    method: 'DELETE',
    path: '/datacenters/:name',
    query: accountQuery,
    replies: [{ status: 200, json: UnlinkReport }],
    errors: ['OperatorOnly', 'ResourceNotFound'],
  },
} as const satisfies ImgapiOperations;
