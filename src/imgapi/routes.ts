/** The route tables: of the main port, and of the listener for other datacenters. */
import { basePathOf } from '#lib/signing/as-sent.ts';
import type { CopyWorker } from '../copies/transfer/worker.ts';
import type { Service } from '../service/service.ts';
import type { AuthKeys } from './auth-keys.ts';
import type { Route } from './call.ts';
import { aclRoutes } from './routes/acl.ts';
import { actionRoute } from './routes/actions.ts';
import { adminRoutes } from './routes/admin.ts';
import { cloneRoutes } from './routes/clone.ts';
import { copyActions, copyRoutes } from './routes/copies.ts';
import { datacenterRoutes } from './routes/datacenters.ts';
import { docsRoutes } from './routes/docs.ts';
import { fileRoutes } from './routes/files.ts';
import { healthRoute } from './routes/health.ts';
import { iconRoutes } from './routes/icons.ts';
import { imageRoutes } from './routes/images.ts';
import { linkRoutes } from './routes/links.ts';
import { pullFileRoute, pullRoutes } from './routes/pulls.ts';
import { serviceRoutes } from './routes/service.ts';

export function mainRoutes(service: Service, authKeys: AuthKeys, worker: CopyWorker): Route[] {
  return [
    ...imageRoutes(service, worker),
    actionRoute(service, { actions: copyActions(service, worker), ...worker }),
    ...fileRoutes(service),
    ...iconRoutes(service),
    ...aclRoutes(service),
    ...copyRoutes(service, worker),
    ...cloneRoutes(service),
    ...pullRoutes(service),
    ...datacenterRoutes(service),
    ...adminRoutes(service),
    ...serviceRoutes(service, authKeys),
    healthRoute(service),
    ...docsRoutes(basePathOf(service.config.publicUrl)),
  ];
}

export function linkListenerRoutes(service: Service): Route[] {
  return [...linkRoutes(service), pullFileRoute(service)];
}
