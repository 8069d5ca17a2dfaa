/** The console for people: its page and the files that it loads. All that it shows it asks of the other operations. */
import { Type } from 'typebox';
import { BODY_ERRORS } from '../errors/common.ts';
import { ConsoleLogin, ConsoleSettings, ConsoleToken, ConsoleUser } from '../schemas/console.ts';
import { accountQuery, EVERYBODY, type ImgapiOperations } from './form.ts';

export const CONSOLE_TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const;

/** Of the text form of Prometheus. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const sessionHeaders = Type.Object({ 'set-cookie': Type.String({ description: 'HttpOnly, SameSite=Strict.' }) });
const served = { method: 'GET', since: 1, auth: 'none', callers: EVERYBODY } as const;
const location = Type.Object({ location: Type.String() });
const fileHeaders = Type.Object({
  etag: Type.String(),
  'content-security-policy': Type.String({
    description: 'Nothing is loaded from elsewhere, and nothing inline is run.',
  }),
});
const file = { ...served, params: Type.Object({ file: Type.String({ description: 'Name of the file.' }) }) } as const;
const fileReplies = [
  { status: 200, bytes: Object.values(CONSOLE_TYPES), headers: fileHeaders },
  { status: 304, when: '`If-None-Match` holds' },
] as const;

export const CONSOLE = {
  Console: {
    ...served,
    summary: 'Returns the page of the console; without the slash at the end, leads there.',
    path: '/console',
    replies: [...fileReplies, { status: 301, when: 'the path is `/console`', headers: location }],
    errors: ['PreconditionFailed'],
  },

  GetConsoleSettings: {
    ...served,
    summary: 'Tells the console which server it shows, and what the caller may see there.',
    path: '/console/settings.json',
    auth: 'passive',
    replies: [{ status: 200, json: ConsoleSettings, headers: Type.Object({ 'cache-control': Type.String() }) }],
    errors: [],
  },

  GetConsoleMetrics: {
    ...served,
    summary: 'Returns the metrics in the text form of Prometheus, where the server has a metrics listener.',
    path: '/console/metrics',
    auth: 'strict',
    callers: ['operator'],
    query: accountQuery,
    replies: [{ status: 200, text: METRICS_TYPE }],
    errors: ['OperatorOnly', 'ResourceNotFound'],
  },

  CreateConsoleLogin: {
    summary: 'Creates a token with which a browser is logged in at the console, once, within five minutes.',
    method: 'POST',
    path: '/console/tokens',
    since: 1,
    auth: 'operator',
    callers: ['operator'],
    query: accountQuery,
    replies: [{ status: 200, json: ConsoleToken }],
    errors: ['OperatorOnly'],
  },

  ConsoleLogIn: {
    ...served,
    summary: 'Gives a session, as a cookie, for a token.',
    method: 'POST',
    path: '/console/login',
    body: { json: ConsoleLogin, check: 'whole' },
    replies: [{ status: 200, json: ConsoleUser, headers: sessionHeaders }],
    errors: [...BODY_ERRORS, 'ValidationFailed', 'Conflict'],
  },

  ConsoleLogOut: {
    ...served,
    summary: 'Ends a session.',
    method: 'POST',
    path: '/console/logout',
    replies: [{ status: 204, headers: sessionHeaders }],
    errors: [],
  },

  GetConsoleFile: {
    ...file,
    summary: "Returns one of the console's own files.",
    path: '/console/:file',
    replies: fileReplies,
    errors: ['ResourceNotFound', 'PreconditionFailed'],
  },

  GetConsoleModule: {
    ...file,
    summary: 'Returns a file of a library that the console uses.',
    path: '/console/modules/:file',
    replies: fileReplies,
    errors: ['ResourceNotFound', 'PreconditionFailed'],
  },
} as const satisfies ImgapiOperations;
