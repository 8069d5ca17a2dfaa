/** The other datacenters, and how their links are. */
import type { Datacenter } from '#lib/api/schemas/datacenter.ts';
import type { Service } from '../../service/service.ts';
import { runChecks } from './check-link.ts';
import type { LinkRecord } from './documents.ts';
import { allLinks } from './links.ts';
import { pullOriginsOf } from './pull-origins.ts';
import { retireKeys } from './rotate-key.ts';

/** How long a list waits for a datacenter that does not answer. */
const CHECK_MS = 5000;

const underWay = new WeakMap<Service['config'], Promise<unknown>>();

/** Like {@link datacenters}, after checking all links, so that their health is current. */
export async function checkedDatacenters(service: Service): Promise<Datacenter[]> {
  const checks = underWay.get(service.config) ?? checkAll(service).finally(() => underWay.delete(service.config));
  underWay.set(service.config, checks);
  await checks;
  return datacenters(service);
}

async function checkAll(service: Service): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_MS);
  const check = (link: LinkRecord) =>
    runChecks(service, link, { transfers: false, signal }).catch((err: unknown) =>
      service.log.warn({ err, datacenter: link.name }, 'the link could not be checked'),
    );
  await Promise.all((await allLinks(service)).map(check));
}

/** By name. A link takes the place of a legacy one of the same name. */
export async function datacenters(service: Service): Promise<Datacenter[]> {
  const links = (await allLinks(service)).map(
    (link): Datacenter => ({
      name: link.name,
      url: link.url,
      kind: 'link',
      keys: link.keys.map(({ fingerprint }) => fingerprint),
      our_key: link.our_key,
      pull_origins: pullOriginsOf(link),
      ...(link.announced_pull_origins && { announced_pull_origins: link.announced_pull_origins }),
      ...(link.allowed_accounts && { allowed_accounts: link.allowed_accounts }),
      created_at: link.created_at,
      ...(link.health && { health: link.health }),
    }),
  );
  const linked = new Set(links.map(({ name }) => name));
  const legacy = Object.entries(service.config.imgapiUrlFromDatacenter)
    .filter(([name]) => !linked.has(name))
    .map(([name, url]): Datacenter => ({ name, url, kind: 'legacy' }));
  return [...links, ...legacy].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * A task: keeps the health of links fresh, and tells other datacenters what they have not been told yet. A link that is
 * broken does not stop the others.
 */
export async function refreshLinkHealth(service: Service, signal?: AbortSignal): Promise<void> {
  for (const link of await allLinks(service)) {
    signal?.throwIfAborted();
    try {
      await retireKeys(service, link);
      await runChecks(service, link, { transfers: false, ...(signal && { signal }) });
    } catch (err) {
      if (signal?.aborted) throw err;
      service.log.warn({ err, datacenter: link.name }, 'the link could not be checked');
    }
  }
}
