/** What clients ask for before they get to images. */
import { Type } from 'typebox';
import { ACCOUNTS, accountParams, type CloudapiOperations, signed } from './form.ts';
import { Account, Datacenters, Key, Moved } from './schemas/account.ts';

export const datacenterName = Type.Object({
  'triton-datacenter-name': Type.String({ description: 'The datacenter of this CloudAPI.' }),
});

const ofAccount = { ...signed, method: 'GET', params: accountParams, callers: ACCOUNTS, errors: [] } as const;

export const ACCOUNT = {
  GetAccount: {
    ...ofAccount,
    summary: 'Returns the account: its id, login and dates.',
    path: '/:account',
    replies: [{ status: 200, json: Account }],
  },

  ListKeys: {
    ...ofAccount,
    summary: 'Lists the SSH keys of the account.',
    path: '/:account/keys',
    replies: [{ status: 200, json: Type.Array(Key) }],
  },

  GetKey: {
    ...ofAccount,
    summary: 'Returns an SSH key of the account.',
    path: '/:account/keys/:key',
    params: Type.Object({
      ...accountParams.properties,
      key: Type.String({ description: 'Its name or a fingerprint.' }),
    }),
    replies: [{ status: 200, json: Key }],
    errors: ['ResourceNotFound'],
  },

  ListDatacenters: {
    ...ofAccount,
    summary: 'Lists the datacenters of the cloud.',
    path: '/:account/datacenters',
    replies: [{ status: 200, json: Datacenters, headers: datacenterName }],
  },

  GetDatacenter: {
    ...ofAccount,
    summary: 'Redirects to the CloudAPI of a datacenter.',
    path: '/:account/datacenters/:dc',
    params: Type.Object({ ...accountParams.properties, dc: Type.String({ description: 'Its name.' }) }),
    replies: [{ status: 302, json: Moved, headers: Type.Object({ location: Type.String() }) }],
    errors: ['ResourceNotFound'],
  },

  UpdateAccount: {
    ...ofAccount,
    summary: 'Refuses to change the account: accounts are managed elsewhere.',
    method: 'POST',
    replies: [],
    path: '/:account',
    errors: ['NotAvailable'],
  },
} as const satisfies CloudapiOperations;
