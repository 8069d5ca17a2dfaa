/** The route tables of the main port and of the link listener. */

import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { JobRunner } from '#lib/documents/job-runner.ts';
import type { FanOutRecord } from '../copies/fan-out/model.ts';
import type { CopyWorker } from '../copies/transfer/worker.ts';
import { type Handlers, type OperationRoute, operationRoutes } from '../http-kit/operations.ts';
import type { Moves } from '../images/moving/moves.ts';
import type { ImageJob } from '../machines/model.ts';
import type { Service } from '../service/service.ts';
import { admission, Gate } from './admission.ts';
import type { AuthKeys } from './auth-keys.ts';
import type { Call, Handler } from './call.ts';
import { readableImage } from './image-call.ts';
import { assertLocalOperator } from './local-operator.ts';
import { requestForms } from './parameters.ts';
import { actionDispatch, actionHandlers } from './routes/actions.ts';
import { adminHandlers } from './routes/admin.ts';
import { consoleHandlers } from './routes/console.ts';
import { copyHandlers } from './routes/copies.ts';
import { datacenterHandlers } from './routes/datacenters.ts';
import { deletedHandlers } from './routes/deleted.ts';
import { eventHandlers } from './routes/events.ts';
import { fanOutHandlers } from './routes/fan-outs.ts';
import { fileHandlers } from './routes/files.ts';
import { iconHandlers } from './routes/icons.ts';
import { imageHandlers } from './routes/images.ts';
import { forLinked, linkHandlers } from './routes/links.ts';
import { madeImageHandlers, makingDispatch } from './routes/made-images.ts';
import { pullHandlers } from './routes/pulls.ts';
import { quotaHandlers } from './routes/quotas.ts';
import { roleTagHandlers } from './routes/role-tags.ts';
import { serviceHandlers, stateDispatch } from './routes/service.ts';
import { aclDispatch, sharingHandlers } from './routes/sharing.ts';
import { uploadHandlers } from './routes/uploads.ts';
import { webhookHandlers } from './routes/webhooks.ts';
import { notForTokens } from './token-identity.ts';
import { needsVersion } from './versions.ts';

/** Long work that requests start or wait for, and that this process carries out. */
export interface Engines {
  readonly worker: CopyWorker;
  readonly moves: Moves;
  readonly maker: Pick<JobRunner<ImageJob>, 'nudge'>;
  readonly fanOuts: Pick<JobRunner<FanOutRecord>, 'nudge'>;
  /** The text of the metrics; absent where there are none. */
  readonly metrics?: (() => Promise<string>) | undefined;
}

export function mainRoutes(
  service: Service,
  authKeys: AuthKeys,
  { worker, moves, maker, fanOuts, metrics }: Engines,
): OperationRoute<Call>[] {
  const gate = new Gate(service, service.config.limits.operatorPlaces);
  const handlers: Handlers<typeof IMGAPI, Call> = {
    ...imageHandlers(service, worker),
    ...madeImageHandlers(service, maker),
    ...fileHandlers(service),
    ...uploadHandlers(service),
    ...iconHandlers(service),
    ...copyHandlers(service, worker),
    ...fanOutHandlers(service, fanOuts),
    ...actionHandlers(service, worker, moves),
    ...deletedHandlers(service),
    ...sharingHandlers(service),
    ...pullHandlers(service, gate),
    ...eventHandlers(service),
    ...roleTagHandlers(service),
    ...quotaHandlers(service),
    ...datacenterHandlers(service),
    ...adminHandlers(service),
    ...webhookHandlers(service),
    ...serviceHandlers(service, authKeys),
    ...consoleHandlers(service, metrics),
  };
  const admitted = admission(service, gate);
  const { mode, channels } = service.config;
  const has = { accounts: mode === 'dc', channels: channels !== undefined };
  return operationRoutes(IMGAPI, handlers, {
    isServed: ({ where }) => where === undefined || has[where],
    wrap: (handler, row, name) =>
      notForTokens(forOperators(service)(admitted(inItsVersions(service, handler, row, name), row, name), row), row),
    ...requestForms,
    dispatches: {
      CreateImage: makingDispatch(service),
      UpdateImage: actionDispatch(service),
      ImageAcl: aclDispatch(service),
      AdminUpdateState: stateDispatch,
    },
  });
}

/** Lets only operators use the operations that are for them. */
export function forOperators(service: Service): (handler: Handler, row: Operation) => Handler {
  return (handler, { auth }) => {
    if (auth !== 'operator') return handler;
    return async (call) => {
      await assertLocalOperator(service, call);
      return handler(call);
    };
  };
}

/** Refuses an operation in the versions before its own. */
function inItsVersions(
  service: Service,
  handler: Handler,
  { since, action, refusal }: Operation<ImgapiVersion>,
  name: string,
): Handler {
  if (since === 1) return handler;
  return async (call) => {
    if (call.version >= since) return handler(call);
    if (refusal?.after === 'visibility') await readableImage(service, call);
    throw needsVersion(since, `action "${refusal?.as ?? action ?? name}"`);
  };
}

/** @param worker carries out what linked datacenters order */
export function linkListenerRoutes(service: Service, worker: Pick<CopyWorker, 'nudge'>): OperationRoute<Call>[] {
  // No operator comes this way.
  const gate = new Gate(service, 0);
  const admitted = admission(service, gate);
  const linked = forLinked(service);
  return operationRoutes(LINKS, linkHandlers(service, worker, gate), {
    wrap: (handler, row, name) => linked(admitted(handler, row, name), row),
    ...requestForms,
  });
}
