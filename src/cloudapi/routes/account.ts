/** GetAccount, ListKeys, ListDatacenters and what belongs to them: clients call them before they get to images. */
import type { Account } from '#lib/accounts/accounts.ts';
import type { ACCOUNT } from '#lib/api/cloudapi/account.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import { CloudapiError } from '../errors.ts';
import type { Cloudapi } from '../service.ts';

/** Stands for the time at which an account was created when that is not known. */
const LONG_AGO = '2013-01-01T00:00:00.000Z';

export function accountHandlers({ accounts, keys, config }: Cloudapi): Handlers<typeof ACCOUNT, Call> {
  async function keysOf({ uuid }: Account) {
    const theirs = await accounts.keysOf(uuid);
    return keys.all(theirs, uuid).map(({ name, publicKey: { fingerprints } }) => ({
      shown: { name, fingerprint: fingerprints.md5, key: theirs[name] },
      sha256: fingerprints.sha256,
    }));
  }

  return {
    async GetAccount({ account: { uuid: id, login, email, createdAt, updatedAt } }) {
      const created = createdAt?.toISOString() ?? LONG_AGO;
      return {
        json: {
          id,
          login,
          ...(email !== undefined && { email }),
          created,
          updated: updatedAt?.toISOString() ?? created,
        },
      };
    },

    async ListKeys({ account }) {
      return { json: (await keysOf(account)).map(({ shown }) => shown) };
    },

    async GetKey({ account, params: { key: asked = '' } }) {
      const titles = [asked, asked.replace(/^MD5:/i, '').toLowerCase()];
      const found = (await keysOf(account)).find(({ shown, sha256 }) =>
        [shown.name, shown.fingerprint, sha256].some((title) => titles.includes(title)),
      );
      if (!found) throw new CloudapiError('ResourceNotFound', `${asked} does not exist`);
      return { json: found.shown };
    },

    async ListDatacenters() {
      return { json: config.datacenters, headers: { 'Triton-Datacenter-Name': config.datacenterName } };
    },

    async GetDatacenter({ params: { dc = '' } }) {
      const url = Object.hasOwn(config.datacenters, dc) ? config.datacenters[dc] : undefined;
      if (url === undefined) throw new CloudapiError('ResourceNotFound', `${dc} is not an available datacenter`);
      const json = { code: 'ResourceMoved', message: `datacenter ${dc} is at ${url}` };
      return { status: 302, json, headers: { Location: url } };
    },

    async UpdateAccount({ account: { login } }) {
      const why = 'accounts are managed elsewhere, and only read here';
      throw new CloudapiError('NotAvailable', `account ${login} cannot be changed by this CloudAPI: ${why}`);
    },
  };
}
