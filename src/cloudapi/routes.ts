/** The routes of CloudAPI, made from its rows. */
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { UPLOADS } from '#lib/api/cloudapi/uploads.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { Handler } from '../http-kit/call.ts';
import { type Handlers, type OperationRoute, operationRoutes } from '../http-kit/operations.ts';
import { admission } from './admission.ts';
import { assertAllowedHere, principalOf } from './authenticate.ts';
import { underPolicies } from './authorize.ts';
import type { Call } from './call.ts';
import { CloudapiError } from './errors.ts';
import { parameterForm } from './parameters.ts';
import { accountHandlers } from './routes/account.ts';
import { actionDispatch, actionHandlers } from './routes/actions.ts';
import { adminHandlers } from './routes/admin.ts';
import { copyHandlers } from './routes/copies.ts';
import { deletedHandlers } from './routes/deleted.ts';
import { eventHandlers } from './routes/events.ts';
import { imageHandlers } from './routes/images.ts';
import { newImageDispatch, newImageHandlers } from './routes/new-images.ts';
import { roleTagHandlers } from './routes/role-tags.ts';
import { serviceHandlers } from './routes/service.ts';
import { shareSettingsHandlers } from './routes/share-settings.ts';
import { uploadHandlers } from './routes/uploads.ts';
import type { Cloudapi } from './service.ts';

const OF_UPLOADS: ReadonlySet<Operation> = new Set<Operation>(Object.values(UPLOADS));

export function cloudapiRoutes(cloudapi: Cloudapi): OperationRoute<Call>[] {
  const handlers: Handlers<typeof CLOUDAPI, Call> = {
    ...serviceHandlers(cloudapi),
    ...accountHandlers(cloudapi),
    ...imageHandlers(cloudapi),
    ...newImageHandlers(cloudapi),
    ...actionHandlers(cloudapi),
    ...uploadHandlers(cloudapi),
    ...deletedHandlers(cloudapi),
    ...shareSettingsHandlers(cloudapi),
    ...copyHandlers(cloudapi),
    ...eventHandlers(cloudapi),
    ...adminHandlers(cloudapi),
    ...roleTagHandlers(cloudapi),
  };
  const admitted = admission(cloudapi);
  const routes = operationRoutes(CLOUDAPI, handlers, {
    parameterForm,
    isServed: (row) => cloudapi.config.uploads || !OF_UPLOADS.has(row),
    wrap: (handler, row, name) =>
      row.auth === 'none' ? handler : underPolicies(cloudapi, admitted(handler, name), row, name),
    dispatches: { CreateImageFromMachine: newImageDispatch, UpdateImage: actionDispatch },
  });
  return routes.map((route) =>
    route.auth === 'none' ? route : { ...route, handler: forAccount(cloudapi, route.handler) },
  );
}

/** Wraps the handler of an authenticated call: it acts for the account in its path. */
function forAccount(cloudapi: Cloudapi, handler: Handler<Call>): Handler<Call> {
  return async (call) => {
    const principal = await principalOf(cloudapi, call);
    assertAllowedHere(cloudapi, principal);
    call.admit(principal);
    call.assertVersion();
    try {
      return await handler(call);
    } catch (error) {
      if (call.signal.aborted) throw new CloudapiError('ClientGone', 'the client is gone', { cause: error });
      throw error;
    }
  };
}
