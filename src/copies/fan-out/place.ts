/** Turns requests into fan-outs, and into changes of those that there are. */
import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import { updateObject } from '#lib/documents/update.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { allLinks } from '../../datacenters/links/links.ts';
import { loadOwnImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { CANCEL_MS } from './decide.ts';
import { FAN_OUTS, type FanOutRecord, isTargetFinal, putFanOut, type Target, written } from './model.ts';

/** Shorter than destinations hold an image back. */
const LIFETIME_MS = 7 * 24 * 3600_000;

export interface FanOutRequest {
  readonly uuid: string;
  readonly account: string;
  /** Names with commas between them, or `all`. */
  readonly datacenters: string;
  readonly together: boolean;
  /** ISO date. */
  readonly finishBy: string | undefined;
}

/** @throws 404 ResourceNotFound, 422 ValidationFailed */
export async function placeFanOut(service: Service, request: FanOutRequest): Promise<FanOutRecord> {
  const { uuid: image, account, together, finishBy } = request;
  const record = (await loadOwnImage(service, image, account))?.value;
  if (!record) throw imageNotFound(image);
  if (record.state !== 'active' || record.copy) {
    throw validationFailed('state', `image "${image}" is ${record.state}; only active images are copied`);
  }
  const names = await namesOf(service, request.datacenters);
  const now = service.store.now();
  const fanOut: FanOutRecord = {
    uuid: newUuid(),
    image,
    account,
    state: 'running',
    live: true,
    together,
    targets: names.map((datacenter) => waiting(datacenter, now)),
    created_at: new Date(now).toISOString(),
    ...(finishBy !== undefined && { finish_by: finishBy }),
    gives_up_at: now + LIFETIME_MS,
    rev: 0,
  };
  await service.store.batch([putFanOut(fanOut, null)]);
  service.log.info({ fan_out: fanOut.uuid, image, datacenters: names }, 'copies ordered in other datacenters');
  return fanOut;
}

async function namesOf(service: Service, asked: string): Promise<string[]> {
  const linked = (await allLinks(service)).map(({ name }) => name);
  const there = linked.length === 0 ? 'no datacenter is linked' : `linked are ${linked.join(', ')}`;
  if (asked === 'all') {
    if (linked.length > 0) return linked;
    throw validationFailed('datacenters', `datacenters is "all", but ${there}`);
  }
  const names = [...new Set(asked.split(',').map((name) => name.trim()))];
  const unknown = names.find((name) => !linked.includes(name));
  if (unknown === undefined) return names;
  throw validationFailed('datacenters', `datacenters names ${JSON.stringify(unknown)}, which is not linked; ${there}`);
}

function waiting(datacenter: string, now: number): Target {
  return {
    datacenter,
    state: 'waiting',
    ...{ bytes_done: 0, bytes_total: 0, rate: 0, tries: 0 },
    not_before: now,
    heard_at: now,
  };
}

/** What is ended stays as it is. @throws 404, 409 CopyAlreadyFinished */
export async function cancelFanOut(service: Service, uuid: string): Promise<FanOutRecord> {
  return changed(service, uuid, (fanOut) => {
    if (fanOut.state !== 'running') {
      throw new ApiError('CopyAlreadyFinished', `fan-out "${uuid}" has already ended: ${fanOut.state}`);
    }
    const gives_up_at = Math.min(fanOut.gives_up_at, service.store.now() + CANCEL_MS);
    const targets = fanOut.targets.map((target) => ({ ...target, not_before: 0 }));
    return { ...fanOut, canceling: true, gives_up_at, targets };
  });
}

export interface Retry {
  /** Absent: all that failed. */
  readonly datacenter: string | undefined;
  /** ISO date, in place of the earlier one. */
  readonly finishBy: string | undefined;
}

/**
 * Begins anew with the datacenters that failed, or with one of them.
 * @throws 404; 422 ValidationFailed if there is none; 409 Conflict while it is being canceled
 */
export function retryFanOut(service: Service, uuid: string, { datacenter, finishBy }: Retry): Promise<FanOutRecord> {
  return changed(service, uuid, (fanOut) => {
    if (fanOut.canceling) throw new ApiError('Conflict', `fan-out "${uuid}" is being canceled; try again`);
    const now = service.store.now();
    const isChosen = (target: Target) =>
      isTargetFinal(target) &&
      target.state !== 'succeeded' &&
      (datacenter === undefined || target.datacenter === datacenter);
    if (!fanOut.targets.some(isChosen)) {
      const which = datacenter === undefined ? 'no datacenter' : `not ${JSON.stringify(datacenter)}`;
      throw validationFailed('datacenter', `of fan-out "${uuid}", ${which} has failed or was canceled`);
    }
    const targets = fanOut.targets.map((target) => (isChosen(target) ? waiting(target.datacenter, now) : target));
    const { finished_at: _, ...rest } = fanOut;
    const until = finishBy !== undefined && { finish_by: finishBy };
    return { ...rest, ...until, state: 'running', live: true, targets, gives_up_at: now + LIFETIME_MS };
  });
}

async function changed(
  service: Service,
  uuid: string,
  change: (fanOut: FanOutRecord) => FanOutRecord,
): Promise<FanOutRecord> {
  const updated = await updateObject(service.store, FAN_OUTS, uuid, (fanOut) => written(change(fanOut)));
  if (updated) return updated.value;
  throw fanOutNotFound(uuid);
}

export function fanOutNotFound(uuid: string): ApiError {
  return new ApiError('ResourceNotFound', `fan-out "${uuid}" not found`);
}

export function shownFanOut({ uuid, image, account, state, together, ...rest }: FanOutRecord): FanOut {
  const { created_at, finish_by, finished_at, targets, released = false } = rest;
  return {
    uuid,
    image_uuid: image,
    account,
    state,
    together,
    released,
    created_at,
    ...(finish_by !== undefined && { finish_by }),
    ...(finished_at !== undefined && { finished_at }),
    datacenters: targets.map(({ not_before: _, heard_at: __, left_until: ___, ...shown }) => shown),
  };
}
