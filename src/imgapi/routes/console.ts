/** The console for people: its page, the files of that, and what they depend on. */
import { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { type CONSOLE, METRICS_TYPE } from '#lib/api/imgapi/console.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { CODINGS, type Coding, ConsoleFiles, PAGE } from '../../console/files.ts';
import { createLoginToken, logIn, logOut } from '../../console/logins.ts';
import { isNotModified } from '../../http-kit/conditional.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { pathOf } from '../../http-kit/request-head.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { sessionCookie, sessionIn } from '../console-session.ts';
import { VERSION } from '../service-version.ts';

/** Whatever an image is called, nothing of it is run, and nobody shows the console within a page of their own. */
const GUARDS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** Whose request it is, where nothing is signed. */
const OPERATOR = 'operator';

/** @param metrics their text; absent where the server has no metrics listener */
export function consoleHandlers(
  service: Service,
  metrics: (() => Promise<string>) | undefined,
): Handlers<typeof CONSOLE, Call> {
  const { config } = service;
  const base = basePathOf(config.publicUrl);
  const files = new ConsoleFiles();

  return {
    async Console(call) {
      if (pathOf(call.url).endsWith('/')) return fileOf(files, call, PAGE);
      return { status: 301, headers: { Location: `${base}/console/` } };
    },

    async GetConsoleSettings({ user }) {
      const { mode, datacenterName, publicUrl, channels } = config;
      const operator = config.authType === 'none' || user !== undefined;
      return {
        headers: { 'Cache-Control': 'no-store' },
        json: {
          version: VERSION,
          mode,
          ...(datacenterName !== undefined && { datacenter: datacenterName }),
          operator,
          write: operator && config.console.write,
          ...(user !== undefined && { user }),
          ...(publicUrl !== undefined && { url: publicUrl }),
          ...(channels && { channels }),
        },
      };
    },

    async GetConsoleMetrics({ account }) {
      if (account !== undefined) throw new ApiError('OperatorOnly', 'metrics are for operators');
      if (!metrics) throw new ApiError('ResourceNotFound', 'this server has no metrics: set metrics.port');
      return { text: await metrics(), headers: { 'Content-Type': METRICS_TYPE, 'Cache-Control': 'no-store' } };
    },

    async CreateConsoleLogin({ user = OPERATOR, isSession, log }) {
      if (isSession) {
        throw new ApiError('OperatorOnly', 'a session makes no further ones: imgapiadm console-login makes a token');
      }
      const { secret, expires } = await createLoginToken(service, user);
      log.info({ user }, 'made a token for a login at the console');
      const { publicUrl: url } = config;
      return { json: { token: secret, expires, ...(url !== undefined && { url }) } };
    },

    async ConsoleLogIn({ log }, _query, body) {
      const session = await logIn(service, (await body()).token);
      if (!session) {
        const message = 'the token is not known, was used or is too old: imgapiadm console-login makes another';
        throw new ApiError('UnauthorizedError', message);
      }
      const { secret, user } = session;
      log.info({ user }, 'logged in at the console');
      return { json: { user }, headers: { 'Set-Cookie': sessionCookie(config, secret) } };
    },

    async ConsoleLogOut({ headers }) {
      const session = sessionIn(config, headers);
      if (session !== undefined) await logOut(service, session);
      return { status: 204, headers: { 'Set-Cookie': sessionCookie(config, '') } };
    },

    GetConsoleFile: (call) => fileOf(files, call, call.params['file'] ?? ''),

    GetConsoleModule: (call) => fileOf(files, call, `modules/${call.params['file'] ?? ''}`),
  };
}

async function fileOf(files: ConsoleFiles, call: Call, path: string): Promise<Reply> {
  const file = await files.get(path);
  if (!file) throw new ApiError('ResourceNotFound', `${pathOf(call.url)} does not exist`);
  const coding = codingFor(call.headers['accept-encoding']);
  const etag = `${file.etag}-${coding}`;
  const headers = {
    ...GUARDS,
    ETag: `"${etag}"`,
    // Asked for again each time, and answered with 304: a new version is seen at once.
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding, Accept-Version',
  };
  if (isNotModified(call, { etag })) return { status: 304, headers };
  const body = file.forms[coding];
  return {
    headers: {
      ...headers,
      'Content-Type': file.type,
      'Content-Length': String(body.length),
      ...(coding !== 'identity' && { 'Content-Encoding': coding }),
    },
    stream: Readable.from([body]),
  };
}

/** The smallest form that the client takes. Browsers weigh none against another; `;q=0` refuses one. */
function codingFor(accepted: string | undefined): Coding {
  const taken = (accepted ?? '').split(',').flatMap((part) => {
    const [name = '', weight = ''] = part.trim().toLowerCase().split(';');
    return /^\s*q=0(\.0*)?\s*$/.test(weight) ? [] : [name.trim()];
  });
  return CODINGS.find((coding) => taken.includes(coding)) ?? 'identity';
}
