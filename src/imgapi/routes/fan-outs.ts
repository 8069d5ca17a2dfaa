/** Orders to several datacenters at once. */
import type { FAN_OUTS } from '#lib/api/imgapi/fan-outs.ts';
import type { JobRunner } from '#lib/documents/job-runner.ts';
import { listFanOuts, seenFanOut } from '../../copies/fan-out/find.ts';
import type { FanOutRecord } from '../../copies/fan-out/model.ts';
import { cancelFanOut, placeFanOut, retryFanOut, shownFanOut } from '../../copies/fan-out/place.ts';
import { finishByOf } from '../../copies/orders/deadline.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';
import { imageUuid } from '../image-call.ts';

const LISTED = 100;

export function fanOutHandlers(
  service: Service,
  engine: Pick<JobRunner<FanOutRecord>, 'nudge'>,
): Handlers<typeof FAN_OUTS, Call> {
  const seen = ({ params: { uuid = '' }, account }: Call) => seenFanOut(service, uuid, account);
  return {
    async CopyImageToDcs(call, query) {
      const uuid = imageUuid(call);
      const { account, datacenters, together = false } = query;
      const finishBy = finishByOf(query.finish_by, service.store.now());
      const placed = await placeFanOut(service, { uuid, account, datacenters, together, finishBy });
      engine.nudge();
      return { json: shownFanOut(placed) };
    },

    async ListFanOuts({ account }, { image, limit = LISTED }) {
      return { json: (await listFanOuts(service, { account, image, limit })).map(shownFanOut) };
    },

    async GetFanOut(call) {
      return { json: shownFanOut(await seen(call)) };
    },

    async CancelFanOut(call) {
      const canceled = await cancelFanOut(service, (await seen(call)).uuid);
      engine.nudge();
      return { json: shownFanOut(canceled) };
    },

    async RetryFanOut(call, { datacenter, finish_by }) {
      const { uuid } = await seen(call);
      const finishBy = finishByOf(finish_by, service.store.now());
      const retried = await retryFanOut(service, uuid, { datacenter, finishBy });
      engine.nudge();
      return { json: shownFanOut(retried) };
    },
  };
}
