/**
 * Copies from other datacenters: the actions that order them (CopyImageFromDc, import-from-datacenter, import-remote),
 * and the routes that observe, list and cancel them. With `Accept: application/x-json-stream`, observing a copy returns
 * one line per change until it ends.
 */

import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import type { COPIES as COPY_OPERATIONS } from '#lib/api/imgapi/copies.ts';
import { jobsLike } from '#lib/api/jobs.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { COPIES, type CopyOrder } from '../../copies/documents/model.ts';
import { cancelCopy } from '../../copies/orders/cancel.ts';
import { namedDatacenter, requiredAccount } from '../../copies/orders/checks.ts';
import { finishByOf } from '../../copies/orders/deadline.ts';
import { lastOrderOf, listOrders, ordersOf } from '../../copies/orders/find-orders.ts';
import { jobOf } from '../../copies/orders/jobs.ts';
import { copyFromDatacenter, importFromDatacenter, importRemote } from '../../copies/orders/place-order.ts';
import { planCopy } from '../../copies/orders/plan.ts';
import { type OrderViewer, shownTo } from '../../copies/orders/shown-order.ts';
import { statusesOf, statusOf } from '../../copies/orders/status.ts';
import { watch } from '../../copies/orders/watch.ts';
import type { CopyWorker } from '../../copies/transfer/worker.ts';
import { urlSource } from '../../datacenters/sources/source-imgapi.ts';
import { assertNoCredentials } from '../../datacenters/sources/source-url.ts';
import { wantsLines } from '../../http-kit/json-lines.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { findJob, jobsOfImage } from '../../machines/find-jobs.ts';
import { jobOfImage } from '../../machines/jobs.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { channelOf, imageUuid, readableImage, viewerOf } from '../image-call.ts';
import { jobReply } from '../job-reply.ts';

const LISTED = 100;

export function copyHandlers(
  service: Service,
  worker: Pick<CopyWorker, 'nudge'>,
): Handlers<typeof COPY_OPERATIONS, Call> {
  return {
    async CopyImageFromDc(call, query) {
      const uuid = imageUuid(call);
      const { account } = query;
      const { dry_run: dryRun = false, do_not_restart: doNotRestart = false } = query;
      const finishBy = finishByOf(query.finish_by, service.store.now());
      const source = await namedDatacenter(service, query.datacenter);
      const order = await copyFromDatacenter(
        service,
        { uuid, account, source, dryRun, doNotRestart, finishBy, requestId: call.requestId },
        call.signal,
      );
      worker.nudge();
      return observed(service, call, order, { account, image: uuid });
    },

    async ImportImageFromDatacenter(call, query) {
      const uuid = imageUuid(call);
      const { account } = query;
      const source = await namedDatacenter(service, query.datacenter);
      const order = await importFromDatacenter(
        service,
        { uuid, account, source, requestId: call.requestId },
        call.signal,
      );
      worker.nudge();
      return jobReply(service, call, order);
    },

    async AdminImportRemoteImage(call, query) {
      const uuid = imageUuid(call);
      const url = sourceUrl(query.source);
      if (call.query['account'] !== undefined) {
        throw new ApiError('OperatorOnly', 'action "import-remote" is for operators; leave out the account parameter');
      }
      const { skip_owner_check: skipOwnerCheck = false } = query;
      const finishBy = finishByOf(query.finish_by, service.store.now());
      const channel = channelOf(service, call, 'write');
      const source = urlSource(service, url);
      const request = { uuid, source, skipOwnerCheck, channel, finishBy, requestId: call.requestId };
      const order = await importRemote(service, request, call.signal);
      worker.nudge();
      return jobReply(service, call, order);
    },

    async GetImageCopy(call, query) {
      const { uuid, account } = copyOf(service, call);
      const { plan = false } = query;
      if (plan) {
        const source = await namedDatacenter(service, query.datacenter);
        return { json: await planCopy(service, { uuid, account: requiredAccount(account), source }, call.signal) };
      }
      const order = await lastOrderOf(service, uuid, account);
      if (!order) throw imageNotFound(uuid);
      return observed(service, call, order, { account, image: uuid });
    },

    async CancelImageCopy(call) {
      const { uuid, account } = copyOf(service, call);
      const order = await cancelCopy(service, uuid, account, call.requestId);
      worker.nudge();
      return { json: await statusOf(service, order, { account, image: uuid }) };
    },

    async ListCopies(call, query) {
      if (call.query['account'] !== undefined) {
        throw new ApiError('OperatorOnly', 'the list of copies is for operators');
      }
      const { state, datacenter: source, limit = LISTED } = query;
      const orders = await listOrders(service, { state, source, limit });
      if (wantsLines(call)) return { lines: watch(service, orders, call.signal) };
      return { json: await statusesOf(service, orders) };
    },

    async GetJob(call) {
      const { uuid = '' } = call.params;
      const { account } = call;
      const isSeen = (of: { readonly account?: string }) => account === undefined || of.account === account;
      const order = isUuid(uuid) ? (await service.store.get(COPIES, uuid))?.value : undefined;
      if (order && isSeen(order)) return { json: jobOf(order) };
      const making = isUuid(uuid) && !order ? await findJob(service, uuid) : undefined;
      if (making && isSeen(making)) return { json: jobOfImage(making) };
      throw new ApiError('ResourceNotFound', `job "${uuid}" not found`);
    },

    /** Anyone who sees an image may ask for its jobs, but only its owner and operators get any. */
    async ListImageJobs(call, { task, execution }) {
      await readableImage(service, call);
      const viewer = viewerOf(service, call);
      const orders = viewer.anonymous ? [] : await ordersOf(service, imageUuid(call), viewer.account);
      const shown = await shownTo(service, orders, { account: viewer.account, image: imageUuid(call) });
      const makings = viewer.anonymous ? [] : await jobsOfImage(service, imageUuid(call), viewer.account);
      return { json: jobsLike([...shown.map(jobOf), ...makings.map(jobOfImage)], { task, execution }) };
    },
  };
}

function copyOf(service: Service, call: Call): { readonly uuid: string; readonly account: string | undefined } {
  const uuid = imageUuid(call);
  const { account, anonymous } = viewerOf(service, call);
  if (anonymous) throw imageNotFound(uuid);
  return { uuid, account };
}

async function observed(service: Service, call: Call, order: CopyOrder, viewer: OrderViewer): Promise<Reply> {
  if (wantsLines(call)) return { lines: watch(service, [order], call.signal, viewer) };
  return { json: await statusOf(service, order, viewer) };
}

/** @throws 422 ValidationFailed source */
function sourceUrl(source: unknown): string {
  const url = typeof source === 'string' && URL.canParse(source) ? new URL(source) : undefined;
  if (url) assertNoCredentials('source', url);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return String(source);
  throw validationFailed('source', `source is ${JSON.stringify(source)}; it must be an http or https URL`);
}
