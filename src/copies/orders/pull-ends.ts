/**
 * Tells sources that a transfer has ended, so that they need not keep its bytes. The pull link there is another name of
 * the file: the bytes stay as long as the link does, even if the owner deletes the image.
 *
 * The batch that ends the transfer records that the source must be told. Any process may tell it, and tries again until
 * it succeeds or the link must have expired at the source.
 */

import type { Stored, Write } from '#lib/documents/store.ts';
import { recordedSource } from '../../datacenters/sources/sources.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { PULL_ENDS, type PullEnd, type Transfer } from '../documents/model.ts';

const MOST_AT_ONCE = 100;
const TELL_TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60 * 60_000;
/** No source keeps a link that is not renewed for longer than this, unless its operator configured it to. */
const KEPT_BY_CALENDAR_MS = 4 * 24 * 60 * 60_000;

/** Writes for the batch that ends the transfer. */
export function endOfPull(service: Service, { source, pull }: Pick<Transfer, 'source' | 'pull'>): Write[] {
  if (pull === undefined) return [];
  const now = service.store.now();
  const value: PullEnd = { source, reqid: pull, tries: 0, not_before: now, since: now };
  return [{ op: 'put', bucket: PULL_ENDS, key: `${source}:${pull}`, value }];
}

/** A periodic task. Returns how many ended pulls it told sources about. */
export async function tellPullEnds(service: Service, signal?: AbortSignal): Promise<number> {
  const due = await service.store.find(PULL_ENDS, {
    filter: { op: 'le', field: 'not_before', value: service.store.now() },
    limit: MOST_AT_ONCE,
  });
  let told = 0;
  // A source that did not answer is not tried again in this run.
  const silent = new Set<string>();
  for (const stored of due) {
    signal?.throwIfAborted();
    const isTold = !silent.has(stored.value.source) && (await tell(service, stored.value, signal));
    if (isTold) told += 1;
    else silent.add(stored.value.source);
    await settle(service, stored, isTold);
  }
  return told;
}

async function tell(service: Service, { source: name, reqid }: PullEnd, stop?: AbortSignal): Promise<boolean> {
  const timeout = AbortSignal.timeout(TELL_TIMEOUT_MS);
  try {
    const source = await recordedSource(service, name);
    // A source that is no longer linked ended all pull links when the link was removed.
    await source?.endPull(reqid, stop ? AbortSignal.any([stop, timeout]) : timeout);
    return true;
  } catch (error) {
    stop?.throwIfAborted();
    service.log.info({ err: failureOf(error), source: name, pull: reqid }, 'the source was not told that a pull ended');
    return false;
  }
}

async function settle(service: Service, { key, value }: Stored<PullEnd>, isTold: boolean): Promise<void> {
  const now = service.store.now();
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(value.tries, 20));
  const later: PullEnd = { ...value, tries: value.tries + 1, not_before: now + pause };
  const isOver = isTold || now - value.since > KEPT_BY_CALENDAR_MS;
  await service.store.batch([
    isOver ? { op: 'del', bucket: PULL_ENDS, key } : { op: 'put', bucket: PULL_ENDS, key, value: later },
  ]);
}
