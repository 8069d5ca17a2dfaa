/** Ends a link: our trust and all streams over it end at once. The other side is told if it can be reached. */
import type { UnlinkReport } from '#lib/api/schemas/datacenter.ts';
import { endPullsOf, removePullsOf } from '../../pulls/reaper.ts';
import type { Service } from '../../service/service.ts';
import { foreignMessage } from '../peers/remote-failure.ts';
import { linkClient } from './link-client.ts';
import { endedLink, getLink } from './links.ts';
import { cutStreams } from './live-streams.ts';

const TELL_TIMEOUT_MS = 15_000;

/** @throws 404 ResourceNotFound */
export async function unlinkDatacenter(service: Service, name: string): Promise<UnlinkReport> {
  const stored = await getLink(service, name);
  // Made while the record exists, but used after its removal, so that the other's requests are refused first.
  const client = await linkClient(service, stored.value);
  await service.store.batch([...endedLink(name), ...(await endPullsOf(service, name))], { frees: true });
  cutStreams(service, name);
  const error = await client
    .json({ method: 'POST', path: '/link/unlink', timeout: TELL_TIMEOUT_MS })
    .then(() => undefined)
    .catch(foreignMessage);
  const pulls = await removePullLinks(service, name);
  service.log.info({ datacenter: name, told: error === undefined, pulls }, 'unlinked a datacenter');
  return { datacenter: name, told: error === undefined, ...(error !== undefined && { error }), pulls };
}

/** To be called when the other side has unlinked us. */
export async function acceptUnlink(service: Service, name: string): Promise<void> {
  await service.store.batch([...endedLink(name), ...(await endPullsOf(service, name))], { frees: true });
  cutStreams(service, name);
  await removePullLinks(service, name);
  service.log.info({ datacenter: name }, 'a datacenter unlinked us');
}

/** The reaper removes later what cannot be removed now. */
async function removePullLinks(service: Service, name: string): Promise<UnlinkReport['pulls']> {
  try {
    const { links, bytes } = await removePullsOf(service, name);
    return { links: links.length, bytes };
  } catch (err) {
    service.log.warn({ err, datacenter: name }, 'pull links are left to the reaper');
    return { links: 0, bytes: 0 };
  }
}
