/** Firewall rules in `fwadm` syntax for the operator to add; IMGAPI itself never changes a firewall. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { FirewallRule } from '#lib/api/schemas/datacenter.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { LinkRecord } from './documents.ts';

/** Rules that open the link port to the other datacenter's addresses only. Empty without a link port. */
export async function firewallRules({ config }: WithConfig, link: LinkRecord): Promise<FirewallRule[]> {
  const { port } = config.links;
  const addresses = await addressesOf(new URL(link.url).hostname);
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
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare)) return [bare];
  const found = await lookup(bare, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))].sort();
}
