/** `GET /healthz`, for balancers: 200 when this process can do its work, 503 when not, and which part it is. */

import { NIL_UUID } from '#lib/text/uuid.ts';
import { type HealthCheck, healthOf, healthReply } from '../../http-kit/health.ts';
import type { Service } from '../../service/service.ts';
import type { Handler } from '../call.ts';

export function healthHandler(service: Service): Handler {
  const health = healthOf(checksOf(service), service.log);
  const { config } = service;
  return async ({ user }) => healthReply(await health(), config.mode === 'dc' || user !== undefined);
}

/** Less is room for nothing. */
const LEAST_ROOM = 1024 * 1024;

function checksOf({ store, storages, accounts, config }: Service): HealthCheck[] {
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
            async run() {
              await accounts.byUuid(config.adminUuid ?? NIL_UUID);
              return undefined;
            },
          },
        ]
      : []),
  ];
}
