/** Where pull URLs of a linked datacenter may lead. */
import type { WithConfig } from '../../service/config/config.ts';
import type { LinkRecord } from './documents.ts';
import { ownPublicUrls } from './self.ts';

/**
 * The fields of a link about it. What the other side announces is not trusted: it could name places that
 * we can reach and it cannot.
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

/** Whether a pull URL of the linked datacenter may be fetched; the address that it leads to is another question. */
export function isPullUrlAllowed(service: WithConfig, link: LinkRecord, text: string): boolean {
  const origin = originOf(text);
  if (origin === undefined || !pullOriginsOf(link).includes(origin)) return false;
  // Behind one proxy may stand more than the other's link listener: our own, for one.
  const { pathname } = new URL(text);
  if (isAmbiguous(pathname) && isShared(service, link, origin)) return false;
  if (origin === new URL(link.url).origin) return isBelow(origin + pathname, `${link.url}/pulls`);
  return !ownPublicUrls(service).some((own) => isBelow((origin + pathname).toLowerCase(), own.toLowerCase()));
}

/** Undefined for what is no http(s) URL, or has credentials in it. */
export function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password;
  return isPlain ? url.origin : undefined;
}

function isBelow(url: string, base: string): boolean {
  return url.startsWith(`${base}/`);
}

/** Whether more than the place that pull URLs lead to may stand at the origin. */
function isShared(service: WithConfig, link: LinkRecord, origin: string): boolean {
  return [link.url, ...ownPublicUrls(service)].some((url) => new URL(url).origin === origin);
}

/**
 * Whether a proxy could take the path for another one: some decode it, merge slashes or drop what follows a semicolon
 * before they choose the server behind them. What is made here never looks like that.
 */
function isAmbiguous(pathname: string): boolean {
  return /[%;\\]|\/\//.test(pathname);
}
