/** Administration of links, on the main port: for operators on this machine. */
import { isObject } from '#lib/manifest/fields.ts';
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { checkLink } from '../../datacenters/links/check-link.ts';
import { linkDatacenter } from '../../datacenters/links/link-datacenter.ts';
import { createLinkToken } from '../../datacenters/links/link-tokens.ts';
import { checkedDatacenters } from '../../datacenters/links/list-datacenters.ts';
import { accountList, datacenterName, linkUrl, originList } from '../../datacenters/links/party.ts';
import { rotateKey } from '../../datacenters/links/rotate-key.ts';
import { unlinkDatacenter } from '../../datacenters/links/unlink-datacenter.ts';
import { flag, parameters } from '../../http-kit/parameters.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply, Route } from '../call.ts';
import { assertLocalOperator } from '../local-operator.ts';

type Fields = Readonly<Record<string, unknown>>;

const rotateParameters = parameters({ drop: flag });

export function datacenterRoutes(service: Service): Route[] {
  const route = (
    name: string,
    method: Route['method'],
    path: string,
    handler: (service: Service, call: Call) => Promise<Reply>,
  ): Route => ({
    name,
    method,
    path,
    auth: 'operator',
    handler: async (call) => {
      await assertLocalOperator(service, call);
      return handler(service, call);
    },
  });
  return [
    listRoute(service),
    route('CreateLinkToken', 'POST', '/datacenters/token', createToken),
    route('RotateLinkKey', 'POST', '/datacenters/rotate-key', rotate),
    route('LinkDatacenter', 'POST', '/datacenters', link),
    route('CheckDatacenter', 'POST', '/datacenters/:name/check', check),
    route('UnlinkDatacenter', 'DELETE', '/datacenters/:name', unlink),
  ];
}

/** Names, URLs and health are no secret to operators; to accounts they are. */
function listRoute(service: Service): Route {
  return {
    name: 'ListDatacenters',
    method: 'GET',
    path: '/datacenters',
    auth: 'strict',
    async handler(call) {
      if (call.account !== undefined) throw new ApiError('OperatorOnly', 'the list of datacenters is for operators');
      return { json: await checkedDatacenters(service) };
    },
  };
}

async function createToken(service: Service, call: Call): Promise<Reply> {
  const body = await fieldsOf(call);
  return { json: await createLinkToken(service, termsOf(body)) };
}

async function link(service: Service, call: Call): Promise<Reply> {
  const body = await fieldsOf(call);
  const { token } = body;
  if (typeof token !== 'string') throw invalidParameter('token', 'token is missing', 'Missing');
  const options = { name: datacenterName(body['name']), url: linkUrl(body['url'], 'url'), token, ...termsOf(body) };
  return { json: await linkDatacenter(service, options) };
}

async function unlink(service: Service, { params }: Call): Promise<Reply> {
  return { json: await unlinkDatacenter(service, params['name'] ?? '') };
}

async function check(service: Service, { params, signal }: Call): Promise<Reply> {
  return { json: await checkLink(service, params['name'] ?? '', signal) };
}

async function rotate(service: Service, call: Call): Promise<Reply> {
  const { drop = false } = rotateParameters(call.query);
  return { json: await rotateKey(service, { drop }) };
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
