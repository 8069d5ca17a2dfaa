/** `GET /healthz`, for load balancers: 200 if this process can do its work, otherwise 503, and the parts that are down. */

import { healthOf, healthReply } from '../../http-kit/health.ts';
import type { HealthCheck } from '../../http-kit/health-watch.ts';
import { promptFree, promptLook } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';
import type { Handler } from '../call.ts';

export function healthHandler(service: Service): Handler {
  const health = healthOf(checksOf(service), service.log);
  const { config } = service;
  return async ({ user }) => healthReply(await health(), config.mode === 'dc' || user !== undefined);
}

/** Bytes. A store with less free space counts as full. */
const LEAST_ROOM = 1024 * 1024;

function checksOf({ store, storages, accounts }: Service): HealthCheck[] {
  return [
    {
      name: 'store',
      async run() {
        await store.ping();
        return undefined;
      },
    },
    {
      name: 'objects',
      // A store that is down takes its own objects away, not those of the others. Of one that is read-only they are still read.
      async run() {
        const all = [...storages];
        // One look at each tells both: a second one at a store that is down would take longer than a check may.
        const looks = await Promise.allSettled(all.map(promptLook));
        const failures = looks.filter((look) => look.status === 'rejected');
        if (failures.length === all.length) throw failures[0]?.reason;
        const down = all.filter((_, i) => looks[i]?.status === 'rejected').map(({ name }) => name);
        const refusals = looks.map((look) => (look.status === 'fulfilled' ? look.value.refusal : undefined));
        const readOnly = all.filter((_, i) => refusals[i]).map(({ name }) => name);
        const reason = refusals.find((refusal) => refusal)?.message;
        if (down.length + readOnly.length === all.length) throw new Error(`no store takes files: ${reason}`);
        return { ...(down.length > 0 && { down }), ...(readOnly.length > 0 && { readOnly }) };
      },
    },
    {
      name: 'room',
      async run() {
        // Whether a store is down is for the check before.
        const free = await Promise.all([...storages].map(promptFree));
        const known = free.filter((bytes) => bytes !== undefined);
        const isFull = known.length === free.length && known.every((bytes) => bytes < LEAST_ROOM);
        if (isFull) throw new Error('no room is left for files');
        return known.length === 0 ? undefined : { bytes: Math.min(...known) };
      },
    },
    ...(accounts
      ? [
          {
            name: 'directory',
            // Every process has the same: without it images are still read, and what needs it says so.
            isDispensable: true,
            async run() {
              // Unlike a UUID, a login is never answered from memory.
              await accounts.byLogin('admin');
              return undefined;
            },
          },
        ]
      : []),
  ];
}
