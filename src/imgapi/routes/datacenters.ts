/** Administration of links, on the main port: for operators on this machine. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { DATACENTERS } from '#lib/api/imgapi/datacenters.ts';
import type { BodyOf } from '#lib/api/operation.ts';
import { checkLink } from '../../datacenters/links/check-link.ts';
import { linkDatacenter } from '../../datacenters/links/link-datacenter.ts';
import { createLinkToken } from '../../datacenters/links/link-tokens.ts';
import { checkedDatacenters } from '../../datacenters/links/list-datacenters.ts';
import { linkUrl, originList } from '../../datacenters/links/party.ts';
import { rotateKey } from '../../datacenters/links/rotate-key.ts';
import { unlinkDatacenter } from '../../datacenters/links/unlink-datacenter.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

export function datacenterHandlers(service: Service): Handlers<typeof DATACENTERS, Call> {
  return {
    /** Operators may know names, URLs and health; accounts may not. */
    async ListDatacenters(call) {
      if (call.account !== undefined) throw new ApiError('OperatorOnly', 'the list of datacenters is for operators');
      return { json: await checkedDatacenters(service) };
    },

    async CreateLinkToken(_call, _query, body) {
      return { json: await createLinkToken(service, termsOf(await body())) };
    },

    async RotateLinkKey(_call, { drop = false }) {
      return { json: await rotateKey(service, { drop }) };
    },

    async LinkDatacenter(_call, _query, body) {
      const request = await body();
      // Each is checked when it is read, so this is the order of the checks.
      const { token, name, url } = request;
      const options = { token, name, url: linkUrl(url, 'url'), ...termsOf(request) };
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

function termsOf(body: BodyOf<typeof DATACENTERS.CreateLinkToken>) {
  const { allowed_accounts: accounts } = body;
  return {
    allowedAccounts: accounts && [...new Set(accounts)],
    pullOrigins: originList(body.pull_origins, 'pull_origins'),
  };
}
