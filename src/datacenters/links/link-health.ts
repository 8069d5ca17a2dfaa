/** A periodic task: keeps the health of links fresh, and tells other datacenters what they have not been told yet. */
import type { Service } from '../../service/service.ts';
import { runChecks } from './check-link.ts';
import { allLinks } from './links.ts';
import { retireKeys } from './rotate-key.ts';

/** A link that is broken does not stop the others. */
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
