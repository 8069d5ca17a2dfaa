/** The service itself: its state, and what browsers and older clients ask for. */
import { Type } from 'typebox';
import { known } from '../parameters.ts';
import { Channel, HEALTH_REPLIES, Nothing, OpenApi, Pong, ServiceState } from '../schemas/service.ts';
import { EVERYBODY, type ImgapiOperations } from './form.ts';

const location = Type.Object({ location: Type.String() });
const elsewhere = { method: 'GET', since: 1, auth: 'none', callers: EVERYBODY } as const;

export const SERVICE = {
  Ping: {
    summary: 'Returns the version of the service, and to insiders also its process id.',
    method: 'GET',
    path: '/ping',
    since: 1,
    auth: 'passive',
    callers: EVERYBODY,
    query: Type.Object({
      error: Type.Optional(known('Answer with a sample of this error; the suffix `Error` may be left out.')),
    }),
    replies: [{ status: 200, json: Pong }],
    errors: [],
  },

  Healthz: {
    ...elsewhere,
    summary: 'Tells load balancers whether this process can do its work, and if not, which part is down.',
    description: 'An answer is reused for a second. Strangers are not shown `error`.',
    path: '/healthz',
    replies: HEALTH_REPLIES,
    errors: [],
  },

  ListChannels: {
    summary: 'Lists the channels, where the server has any.',
    method: 'GET',
    path: '/channels',
    since: 1,
    auth: 'passive',
    callers: EVERYBODY,
    replies: [{ status: 200, json: Type.Array(Channel) }],
    errors: ['ResourceNotFound'],
  },

  AdminGetState: {
    summary: 'Tells operators how the process is configured and what it consumes.',
    method: 'GET',
    path: '/state',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    replies: [{ status: 200, json: ServiceState }],
    errors: [],
  },

  AdminDropCaches: {
    summary: 'Does nothing: what is cached is checked against the store on every read.',
    method: 'POST',
    path: '/state',
    action: 'dropcaches',
    route: 'AdminUpdateState',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    replies: [{ status: 202 }],
    errors: ['InvalidArgument', 'MissingParameter'],
  },

  AdminReloadAuthKeys: {
    summary: 'Reads `authkeys/*.keys` again.',
    method: 'POST',
    path: '/authkeys/reload',
    since: 1,
    auth: 'strict',
    callers: ['operator'],
    replies: [{ status: 200, json: Nothing }],
    errors: [],
  },

  ListDatasets: {
    ...elsewhere,
    summary: 'Redirects clients of DSAPI to the list of images.',
    path: '/datasets',
    replies: [{ status: 301, headers: location }],
    errors: [],
  },

  GetDataset: {
    ...elsewhere,
    summary: 'Redirects clients of DSAPI to the image or list that they mean.',
    path: '/datasets/:arg',
    params: Type.Object({ arg: Type.String({ description: 'UUID, `NAME:VERSION`, or a URN.' }) }),
    replies: [{ status: 301, headers: location }],
    errors: [],
  },

  Favicon: {
    ...elsewhere,
    summary: 'Returns the icon that browsers show.',
    path: '/favicon.ico',
    replies: [{ status: 200, bytes: ['image/x-icon'], headers: Type.Object({ 'cache-control': Type.String() }) }],
    errors: [],
  },

  Root: {
    ...elsewhere,
    summary: 'Redirects browsers to the documentation.',
    path: '/',
    replies: [{ status: 301, headers: location }],
    errors: [],
  },

  Docs: {
    ...elsewhere,
    summary:
      'Returns the documentation of this version, to browsers as HTML; without the slash at the end, leads there.',
    path: '/docs',
    replies: [
      { status: 200, text: 'text/markdown; charset=utf-8' },
      { status: 200, when: 'Accept has text/html', text: 'text/html; charset=utf-8' },
      { status: 301, when: 'the path is `/docs`', headers: location },
    ],
    errors: [],
  },

  OpenApi: {
    ...elsewhere,
    summary: 'Returns this API as an OpenAPI 3.1 document.',
    path: '/openapi.json',
    replies: [{ status: 200, json: OpenApi }],
    errors: [],
  },
} as const satisfies ImgapiOperations;
