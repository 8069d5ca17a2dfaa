/** GetAccount, ListKeys, ListDatacenters: what clients ask for before they come to images. */
import type { Reply } from '../../http-kit/call.ts';
import type { CloudapiRoute, Request } from '../request.ts';

/** What clients take the beginning to be where nobody knows when an account was made. */
const LONG_AGO = '2013-01-01T00:00:00.000Z';

export const accountRoutes: readonly CloudapiRoute[] = [
  { name: 'GetAccount', method: 'GET', path: '/:account', handler: getAccount },
  { name: 'ListKeys', method: 'GET', path: '/:account/keys', handler: listKeys },
  { name: 'ListDatacenters', method: 'GET', path: '/:account/datacenters', handler: listDatacenters },
];

async function getAccount({ account }: Request): Promise<Reply> {
  const { uuid: id, login } = account;
  const created = account.createdAt?.toISOString() ?? LONG_AGO;
  return { json: { id, login, created, updated: account.updatedAt?.toISOString() ?? created } };
}

async function listKeys({ account, cloudapi }: Request): Promise<Reply> {
  const keys = cloudapi.keys.all(account).map(({ name, publicKey }) => ({
    name,
    fingerprint: publicKey.fingerprints.md5,
    key: account.keys[name],
  }));
  return { json: keys };
}

async function listDatacenters({ cloudapi }: Request): Promise<Reply> {
  const { datacenters, datacenterName } = cloudapi.config;
  return { json: datacenters, headers: { 'Triton-Datacenter-Name': datacenterName } };
}
