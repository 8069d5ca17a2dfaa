/** Which pull URLs of a linked datacenter may be fetched. */
import type { WithConfig } from '../../service/config/config.ts';
import type { LinkRecord } from './documents.ts';
import { ownPublicUrls } from './self.ts';

/**
 * The fields of a link that hold its origins. Those that the other side announces are not trusted: they could be places
 * that only we can reach.
 */
export function namedOrigins(
  url: string,
  named: readonly string[] = [],
  announced: readonly string[] = [],
): Pick<LinkRecord, 'pull_origins' | 'pull_origins_named' | 'announced_pull_origins'> {
  const origins = [...new Set([new URL(url).origin, ...named])];
  const others = announced.filter((origin) => !origins.includes(origin));
  return {
    pull_origins: origins,
    pull_origins_named: true,
    ...(others.length > 0 && { announced_pull_origins: others }),
  };
}

export function pullOriginsOf({ url, pull_origins, pull_origins_named }: LinkRecord): readonly string[] {
  return pull_origins_named ? pull_origins : [new URL(url).origin];
}

/** Whether the linked datacenter's pull URL may be fetched. The address behind it is checked on connecting. */
export function isPullUrlAllowed(service: WithConfig, link: LinkRecord, text: string): boolean {
  const origin = originOf(text);
  if (origin === undefined || !pullOriginsOf(link).includes(origin)) return false;
  // One proxy may serve more than the other's link listener, even our own listeners.
  const { pathname } = new URL(text);
  if (isAmbiguous(pathname) && isShared(service, link, origin)) return false;
  if (origin === new URL(link.url).origin) return isBelow(origin + pathname, `${link.url}/pulls`);
  return !ownPublicUrls(service).some((own) => isBelow((origin + pathname).toLowerCase(), own.toLowerCase()));
}

/** Undefined if the text is not an http(s) URL, or contains credentials. */
export function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password;
  return isPlain ? url.origin : undefined;
}

function isBelow(url: string, base: string): boolean {
  return url.startsWith(`${base}/`);
}

/** Whether the origin may also serve something other than pulls. */
function isShared(service: WithConfig, link: LinkRecord, origin: string): boolean {
  return [link.url, ...ownPublicUrls(service)].some((url) => new URL(url).origin === origin);
}

/**
 * Whether a proxy could read the path as a different one: before choosing the server behind them, some decode it, merge
 * slashes or drop what follows a semicolon. The paths we make contain nothing of the kind.
 */
function isAmbiguous(pathname: string): boolean {
  return /[%;\\]|\/\//.test(pathname);
}
