/** Administration of links, on the main port: for operators on this machine. */
import type { DATACENTERS } from '#lib/api/imgapi/datacenters.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { checkLink } from '../../datacenters/links/check-link.ts';
import { linkDatacenter } from '../../datacenters/links/link-datacenter.ts';
import { createLinkToken } from '../../datacenters/links/link-tokens.ts';
import { checkedDatacenters } from '../../datacenters/links/list-datacenters.ts';
import { accountList, datacenterName, linkUrl, originList } from '../../datacenters/links/party.ts';
import { rotateKey } from '../../datacenters/links/rotate-key.ts';
import { unlinkDatacenter } from '../../datacenters/links/unlink-datacenter.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

type Fields = Readonly<Record<string, unknown>>;

export function datacenterHandlers(service: Service): Handlers<typeof DATACENTERS, Call> {
  return {
    /** Names, URLs and health are no secret to operators; to accounts they are. */
    async ListDatacenters(call) {
      if (call.account !== undefined) throw new ApiError('OperatorOnly', 'the list of datacenters is for operators');
      return { json: await checkedDatacenters(service) };
    },

    async CreateLinkToken(call) {
      return { json: await createLinkToken(service, termsOf(await fieldsOf(call))) };
    },

    async RotateLinkKey(_call, { drop = false }) {
      return { json: await rotateKey(service, { drop }) };
    },

    async LinkDatacenter(call) {
      const body = await fieldsOf(call);
      const { token } = body;
      if (typeof token !== 'string') throw invalidParameter('token', 'token is missing', 'Missing');
      const options = { name: datacenterName(body['name']), url: linkUrl(body['url'], 'url'), token, ...termsOf(body) };
      return { json: await linkDatacenter(service, options) };
    },

    async CheckDatacenter({ params, signal }) {
      return { json: await checkLink(service, params['name'] ?? '', signal) };
    },

    async UnlinkDatacenter({ params }) {
      return { json: await unlinkDatacenter(service, params['name'] ?? '') };
    },
  };
}

function termsOf(body: Fields) {
  return {
    allowedAccounts: accountList(body['allowed_accounts'], 'allowed_accounts'),
    pullOrigins: originList(body['pull_origins'], 'pull_origins'),
  };
}

async function fieldsOf(call: Call): Promise<Fields> {
  const body = (await call.json()) ?? {};
  if (isObject(body)) return body;
  throw new ApiError('InvalidContent', 'the body must be a JSON object');
}
