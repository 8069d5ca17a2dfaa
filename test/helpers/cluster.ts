/** A datacenter of several processes, each on a machine of its own, behind a balancer. */
import type { Test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import type { Ground } from '../engines/grounds.ts';
import { ALICE } from './accounts.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { makeSite, type Site } from './cloud.ts';
import { type ConfigKeys, temporaryFolder } from './imgapi.ts';

export interface Cluster {
  readonly sites: readonly [Site, Site, Site];
  readonly balancer: Balancer;
  /** Through the balancer. */
  readonly alice: ImgapiClient;
}

const NAME = 'us-west';

/** Processes that take each other for being on other machines: only leases tell who has died. */
export const ELSEWHERE = { preload: [new URL('own-machine.ts', import.meta.url).href] };

/** Such processes of a later version. */
export const NEWER = { preload: [...ELSEWHERE.preload, new URL('newer-buckets.ts', import.meta.url).href] };

/** A process that is not started yet. */
export async function makeMember(t: Test, ground: Ground, keys: ConfigKeys = {}): Promise<Site> {
  return makeSite(t, NAME, await temporaryFolder(t, `imgapi-${NAME}`), keys, ground);
}

/** @param first what the first process has in place of the ground */
export async function startCluster(t: Test, ground: Ground, first: Ground = ground): Promise<Cluster> {
  const sites = [await makeMember(t, first), await makeMember(t, ground), await makeMember(t, ground)] as const;
  await Promise.all(sites.map((site) => site.start(ELSEWHERE)));
  // Through their fronts, which keep their ports when a process is started again.
  const balancer = await startBalancer(sites.map(({ front }) => front.port));
  t.teardown(() => balancer.close());
  const alice = new ImgapiClient({ url: balancer.url, account: ALICE });
  t.teardown(() => alice.destroy());
  return { sites, balancer, alice };
}
