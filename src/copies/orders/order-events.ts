/** What is told of an order: to those who read events, and, once it has ended, to webhooks. Belongs in the batch of that. */
import type { EventDetails } from '#lib/api/schemas/event.ts';
import type { Write } from '#lib/documents/store.ts';
import { redact } from '#lib/text/redact.ts';
import { type Cause, eventWrites } from '../../images/events/event.ts';
import type { Service } from '../../service/service.ts';
import type { CopyOrder } from '../documents/model.ts';
import { copyMessages } from '../webhooks/messages.ts';

type Stage = 'copy-begun' | 'copy-late' | 'copy-done' | 'copy-failed' | 'copy-canceled';

/** On whose behalf the order's own end happens. */
function causeOfOrder({ account, request_id }: CopyOrder): Cause {
  return { ...(account !== undefined && { account }), ...(request_id !== undefined && { request_id }) };
}

/**
 * The owner reads of its own orders and of those of operators. Of an error only the code is told: its message may name the
 * image of somebody else in the same order.
 * @param ownerOf whose image it is, undefined if that is unknown
 */
export function orderEvents(
  service: Pick<Service, 'store' | 'config'>,
  kind: Stage,
  order: CopyOrder,
  ownerOf: (uuid: string) => string | undefined,
  cause = causeOfOrder(order),
): Write[] {
  const { uuid, source, error, account, images, finish_by } = order;
  const details: EventDetails = { order: uuid, source: redact(source), ...(error && { error: error.code }) };
  const late: EventDetails = kind === 'copy-late' && finish_by !== undefined ? { finish_by } : {};
  const told = kind === 'copy-begun' || kind === 'copy-late' ? [] : copyMessages(service, kind, order);
  const events = images.flatMap((image) => {
    const owner = account ?? ownerOf(image);
    return eventWrites(service, { uuid: image, ...(owner !== undefined && { owner }) }, cause, [
      { kind, details: { ...details, ...late } },
    ]);
  });
  return [...events, ...told];
}
