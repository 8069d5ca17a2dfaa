/** The cookie of a session at the console. No page of another site has it sent, and no script reads it. */
import type { IncomingHttpHeaders } from 'node:http';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { SESSION_SECONDS, sessionUser } from '../console/logins.ts';
import type { Config } from '../service/config/config.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';

/** Browsers keep one jar for all ports of a machine: each datacenter has a name of its own. */
function cookieName({ datacenterName }: Config): string {
  return datacenterName === undefined ? 'imgapi-console' : `imgapi-console-${datacenterName}`;
}

/** The value of Set-Cookie. @param session empty: ends it */
export function sessionCookie(config: Config, session: string): string {
  const isSecure = config.publicUrl?.startsWith('https:') ?? false;
  return [
    `${cookieName(config)}=${session}`,
    `Path=${basePathOf(config.publicUrl)}/`,
    `Max-Age=${session === '' ? 0 : SESSION_SECONDS}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ');
}

export function sessionIn(config: Config, { cookie }: IncomingHttpHeaders): string | undefined {
  const name = `${cookieName(config)}=`;
  const parts = cookie?.split(';').map((part) => part.trim());
  return parts?.find((part) => part.startsWith(name))?.slice(name.length);
}

/** Who is logged in and asks. A session may write only where the console may. */
export async function loggedInUser(
  service: Pick<Service, 'config' | 'store'>,
  { headers, method }: Pick<Call, 'headers' | 'method'>,
): Promise<string | undefined> {
  const session = sessionIn(service.config, headers);
  if (session === undefined) return undefined;
  const isRead = method === 'GET' || method === 'HEAD';
  return isRead || service.config.console.write ? sessionUser(service, session) : undefined;
}
