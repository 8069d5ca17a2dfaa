/** CloudAPI itself: what needs no account. */
import { Type } from 'typebox';
import { HEALTH_REPLIES, OpenApi } from '../schemas/service.ts';
import { datacenterName } from './account.ts';
import { ACCOUNTS, type CloudapiOperations } from './form.ts';
import { Pong } from './schemas/account.ts';

const open = {
  method: 'GET',
  since: '7.0.0',
  auth: 'none',
  callers: ['nobody', ...ACCOUNTS],
  errors: [],
} as const;

const leadsElsewhere = [{ status: 302, headers: Type.Object({ location: Type.String() }) }] as const;

export const SERVICE = {
  Ping: {
    ...open,
    summary: 'Shows that the service is up, and its versions.',
    path: '/--ping',
    replies: [{ status: 200, json: Pong, headers: datacenterName }],
  },

  Healthz: {
    ...open,
    summary: 'Tells load balancers whether IMGAPI and the accounts can be reached.',
    path: '/--healthz',
    replies: HEALTH_REPLIES,
  },

  OpenApi: {
    ...open,
    summary: 'Returns this API in the form of OpenAPI 3.1.',
    path: '/--openapi.json',
    replies: [{ status: 200, json: OpenApi }],
  },

  Root: { ...open, summary: 'Leads browsers to the documentation of CloudAPI.', path: '/', replies: leadsElsewhere },

  Docs: { ...open, summary: 'Leads to the documentation of CloudAPI.', path: '/docs', replies: leadsElsewhere },

  Favicon: { ...open, summary: 'Leads to the icon that browsers show.', path: '/favicon.ico', replies: leadsElsewhere },
} as const satisfies CloudapiOperations;
