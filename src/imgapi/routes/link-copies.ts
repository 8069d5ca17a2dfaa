/** Copies that a linked datacenter orders here, on behalf of an account that the link allows. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { LINK_COPIES } from '#lib/api/imgapi/link-copies.ts';
import type { LinkCopy } from '#lib/api/schemas/link.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { COPIES, type CopyOrder } from '../../copies/documents/model.ts';
import { bookOrder } from '../../copies/orders/booking.ts';
import { namedDatacenter } from '../../copies/orders/checks.ts';
import { deadlineOf } from '../../copies/orders/deadline.ts';
import { endOrder } from '../../copies/orders/end-order.ts';
import { newHold, releaseOrder } from '../../copies/orders/hold.ts';
import { copyFromDatacenter } from '../../copies/orders/place-order.ts';
import { statusOf } from '../../copies/orders/status.ts';
import type { CopyWorker } from '../../copies/transfer/worker.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { assertOwnerExists } from '../../images/record/new-record.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';
import { readSignedBody } from '../signed-body.ts';
import { allowedAccount, signerOf } from './link-images.ts';

export function linkCopyHandlers(
  service: Service,
  worker: Pick<CopyWorker, 'nudge'>,
): Handlers<typeof LINK_COPIES, Call> {
  return {
    async LinkOrderCopy(call, query) {
      await readSignedBody(call);
      const datacenter = signerOf(call);
      const account = await allowedAccount(service, call, datacenter);
      const { image: uuid, fan_out, hold = false } = query;
      await bookOrder(service, datacenter);
      await assertMayReceive(service, account);
      const source = await namedDatacenter(service, datacenter);
      const terms = { by: { datacenter, fan_out }, ...(hold && { hold: newHold(service) }) };
      // A fan-out is kept at beyond its time, and the clocks of two datacenters differ.
      const finishBy = deadlineOf(query.finish_by);
      const order = await copyFromDatacenter(
        service,
        { uuid, account, source, dryRun: false, doNotRestart: false, finishBy, terms, requestId: call.requestId },
        call.signal,
      );
      worker.nudge();
      // The account's own order, from elsewhere: how far that is, is not theirs to read.
      if (!isTheirs(order, datacenter)) {
        throw new ApiError(
          'Conflict',
          `image "${uuid}" is being copied to here from elsewhere for account "${account}"`,
        );
      }
      return { json: await shown(service, order) };
    },

    async LinkGetCopy(call) {
      return { json: await shown(service, await theirOrder(service, call)) };
    },

    async LinkReleaseCopy(call) {
      await readSignedBody(call);
      const { uuid } = await placedOrder(service, call);
      const order = await releaseOrder(service, uuid);
      worker.nudge();
      return { json: await shown(service, order) };
    },

    async LinkCancelCopy(call) {
      await readSignedBody(call);
      const placed = await placedOrder(service, call);
      const ended = placed.live ? await canceled(service, placed.uuid) : placed;
      worker.nudge();
      return { json: await shown(service, ended ?? placed) };
    },
  };
}

/** An order may end while it is being canceled: then it is answered as it ended. */
async function canceled(service: Service, uuid: string): Promise<CopyOrder | undefined> {
  try {
    return await endOrder(service, uuid, { event: 'cancel' });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'CopyAlreadyFinished')) throw error;
    return (await service.store.get(COPIES, uuid))?.value;
  }
}

/**
 * Images of an account that is not here would be nobody's, and those of the operators' account are offered to everybody.
 * @throws 403 Forbidden, 422 OwnerDoesNotExist
 */
async function assertMayReceive(service: Service, account: string): Promise<void> {
  const { adminUuid } = service.config;
  if (account === adminUuid) {
    throw new ApiError(
      'Forbidden',
      `no other datacenter may order images for account "${account}", which is the operators'`,
    );
  }
  await assertOwnerExists(service, account);
}

function isTheirs({ source, ordered_by }: CopyOrder, datacenter: string): boolean {
  return source === datacenter || ordered_by?.datacenter === datacenter;
}

/** A copy of an image of theirs, for the account that they name; any other does not exist for them. @throws 404 */
async function theirOrder(service: Service, call: Call): Promise<CopyOrder> {
  const datacenter = signerOf(call);
  const account = await allowedAccount(service, call, datacenter);
  const { uuid = '' } = call.params;
  const order = isUuid(uuid) ? (await service.store.get(COPIES, uuid))?.value : undefined;
  if (order?.kind === 'copy-from-dc' && isTheirs(order, datacenter) && order.account === account) return order;
  throw new ApiError('ResourceNotFound', `order "${uuid}" not found`);
}

/** The same, if they placed it themselves. @throws 404 */
async function placedOrder(service: Service, call: Call): Promise<CopyOrder> {
  const order = await theirOrder(service, call);
  if (order.ordered_by?.datacenter === signerOf(call)) return order;
  throw new ApiError('ResourceNotFound', `order "${order.uuid}" not found`);
}

/** Longest text of an error that is sent, in bytes. */
const LONGEST = 1000;

async function shown(service: Service, order: CopyOrder): Promise<LinkCopy> {
  const { bytes_done, bytes_total, rate, images } = await statusOf(service, order);
  const { uuid, state, hold, live, error } = order;
  return {
    order: uuid,
    state,
    held: hold !== undefined && live,
    verified: images.every((image) => image.state === 'received' || image.state === 'succeeded'),
    bytes_done,
    bytes_total,
    rate,
    ...(error && { error: { code: error.code, message: cutText(error.message, LONGEST) } }),
  };
}
