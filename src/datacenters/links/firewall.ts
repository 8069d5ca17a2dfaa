/** Firewall rules in `fwadm` syntax for the operator to add; IMGAPI itself never changes a firewall. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { FirewallRule } from '#lib/api/schemas/datacenter.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { LinkRecord } from './documents.ts';

/** Rules that open the link port to the other datacenter's addresses only. Empty without a link port. */
export async function firewallRules({ config }: WithConfig, link: LinkRecord): Promise<FirewallRule[]> {
  const { port } = config.links;
  const addresses = await addressesOf(bareHost(new URL(link.url)));
  if (port === undefined || addresses.length === 0) return [];
  const sources = addresses.map((address) => `ip ${address}`);
  const from = sources.length === 1 ? sources[0] : `(${sources.join(' OR ')})`;
  const to = config.instanceUuid === undefined ? 'tag "smartdc_role" = "imgapi"' : `vm ${config.instanceUuid}`;
  return [
    {
      description: `IMGAPI link from datacenter ${link.name}`,
      enabled: true,
      ...(config.adminUuid !== undefined && { owner_uuid: config.adminUuid }),
      rule: `FROM ${from} TO ${to} ALLOW tcp PORT ${port}`,
    },
  ];
}

/** Empty if the name does not resolve; the link check already reports that. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host)) return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))].sort();
}
