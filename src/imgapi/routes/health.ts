/** `GET /healthz`, for load balancers: 200 if this process can do its work, otherwise 503, and the parts that are down. */

import { type HealthCheck, healthOf, healthReply } from '../../http-kit/health.ts';
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
      async run() {
        for (const storage of storages) await storage.identity();
        return undefined;
      },
    },
    {
      name: 'room',
      async run() {
        const free = await Promise.all([...storages].map((storage) => storage.free()));
        const known = free.filter((bytes) => bytes !== undefined);
        if (known.some((bytes) => bytes < LEAST_ROOM)) throw new Error('no room is left for files');
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
