/** The console for people: its page and the files that it loads. All that it shows it asks of the other operations. */
import { Type } from 'typebox';
import { ConsoleSettings } from '../schemas/console.ts';
import { EVERYBODY, type ImgapiOperations } from './form.ts';

export const CONSOLE_TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const;

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
