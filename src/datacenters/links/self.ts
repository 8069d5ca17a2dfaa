/** How this datacenter describes itself to others. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { listenerUrl } from '#lib/network/listener-url.ts';
import { withoutEnd } from '#lib/text/without-end.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import type { WithConfig } from '../../service/config/config.ts';

/** Version of the protocol between linked datacenters. */
export const LINK_VERSION = 1;

export const SERVICE_VERSION: string = packageJson.version;

/** @throws 501 NotAvailable when the config names no datacenter */
export function ownName({ config }: WithConfig): string {
  if (config.datacenterName !== undefined) return config.datacenterName;
  throw new ApiError(
    'NotAvailable',
    'this IMGAPI does not know the name of its datacenter: set datacenterName in its configuration',
  );
}

/** The URL at which others reach the link listener. @throws 501 NotAvailable */
export function ownLinkUrl({ config }: WithConfig): string {
  const { address, port, publicUrl } = config.links;
  if (publicUrl !== undefined) return withoutEnd(publicUrl, '/');
  const isAnyAddress = address === '0.0.0.0' || address === '::';
  if (port === undefined || port === 0 || isAnyAddress) {
    throw new ApiError(
      'NotAvailable',
      'other datacenters cannot know where to reach this one: set links.port, and either links.publicUrl or a specific links.address',
    );
  }
  return listenerUrl(address, port);
}

/** The URLs at which others reach the listeners of this datacenter, if the config gives them. */
export function ownPublicUrls({ config }: WithConfig): string[] {
  const { publicUrl, links, pulls } = config;
  const urls = [publicUrl, links.publicUrl, pulls.publicUrl].filter((url) => url !== undefined);
  return urls.map((url) => withoutEnd(new URL(url).href, '/'));
}

/** The possible origins of the pull URLs made here. */
export function ownPullOrigins(service: WithConfig): string[] {
  const { links, pulls } = service.config;
  if (!pulls.redirect) return [];
  const urls = [pulls.publicUrl ?? ownLinkUrl(service), ...links.allowedPullOrigins];
  return [...new Set(urls.map((url) => new URL(url).origin))];
}
