/** `GET /--healthz`, for balancers: 200 when IMGAPI and the accounts can be asked, 503 when not. */
import { NIL_UUID } from '#lib/text/uuid.ts';
import { healthOf, healthReply } from '../../http-kit/health.ts';
import type { Route } from '../call.ts';
import type { Cloudapi } from '../service.ts';

export function healthRoute({ imgapi, accounts, config, log }: Cloudapi): Route {
  const health = healthOf(
    [
      {
        name: 'imgapi',
        async run() {
          await imgapi.ping();
          return undefined;
        },
      },
      {
        name: 'directory',
        async run() {
          await accounts.byUuid(config.adminUuid ?? NIL_UUID);
          return undefined;
        },
      },
    ],
    log,
  );
  return {
    name: 'Healthz',
    method: 'GET',
    path: '/--healthz',
    isOpen: true,
    // Its clients are strangers: they hear which part is ill, and the log says why.
    handler: async () => healthReply(await health(), false),
  };
}
