/** Lists the other datacenters and the health of their links. */
import type { Datacenter } from '#lib/api/schemas/datacenter.ts';
import { redact } from '#lib/text/redact.ts';
import type { Service } from '../../service/service.ts';
import { runChecks } from './check-link.ts';
import type { LinkRecord } from './documents.ts';
import { allLinks } from './links.ts';
import { pullOriginsOf } from './pull-origins.ts';
import { retireKeys } from './rotate-key.ts';

/** How long a listing waits for a datacenter that does not answer. */
const CHECK_MS = 5000;

const underWay = new WeakMap<Service['config'], Promise<unknown>>();

/** Like {@link datacenters}, but checks all links first so that their health is up to date. */
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

/** Sorted by name. A link hides a legacy link of the same name. */
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
    // Whoever reads the list need not know with which password this datacenter asks that one.
    .map(([name, url]): Datacenter => ({ name, url: redact(url), kind: 'legacy' }));
  return [...links, ...legacy].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * A task: updates the health of links, and tells other datacenters to forget our old keys if that failed before. A
 * broken link does not keep the others from being checked.
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
