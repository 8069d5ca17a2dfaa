/**
 * The one door through which image records are changed. Access and the caller's condition are checked against the very
 * record that is overwritten, inside the compare-and-swap: a request may wait a long time for its body, and the image
 * may have another owner by then.
 *
 * `changeImage` is for callers; `changeRecord` is for what the service does on its own behalf. A record that belongs in
 * one batch with other documents is written with `putRecord` (`record-write.ts`).
 *
 * What a change means to those who read events is told here too, in the same batch (`events/changes.ts`).
 */

import { imageNotFound } from '#lib/api/errors/api-error.ts';
import type { Write, WriteOptions } from '#lib/documents/store.ts';
import { updateWith } from '#lib/documents/update.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { storedRecordProblems } from '#lib/manifest/validate.ts';
import type { Service } from '../../service/service.ts';
import { changesBetween } from '../events/changes.ts';
import { type Cause, causeOf, eventWrites, type Happening } from '../events/event.ts';
import { quotaWrites } from '../quotas/guard.ts';
import { assertMayChangeAs, decideFor, type Relation, type Viewer } from './access.ts';
import type { ImageOutcome } from './decision.ts';
import { isDeletable, isServed, normalized, type StoredImage } from './load.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { counted } from './record-write.ts';
import { assertVisible } from './references.ts';
import { assertNoProblems, rulesOf } from './rules.ts';

/** Who asks to change which image. */
export interface ChangeRequest {
  readonly uuid: string;
  readonly viewer: Viewer;
  /** For the log of events. */
  readonly requestId?: string | undefined;
  /** The channel that the request is restricted to; absent when there are no channels. */
  readonly channel?: string | undefined;
  /** Throws when the image does not meet the caller's condition (If-Match). */
  readonly condition?: ((stored: StoredImage) => void) | undefined;
  /** Whose quota refuses it, although an operator carries it out. */
  readonly chargedTo?: string | undefined;
}

export interface ChangeRules extends WriteOptions {
  /** The row of the decision table; default `change`. With `delete`, operators may delete invalid records too. */
  readonly row?: 'change' | 'delete';
  /** Also lets accounts pass that the image is shared with; `relation` tells them from the owner. */
  readonly allowSharees?: boolean;
}

/** The record that is about to be written, and what the caller is to it. */
export interface Passed {
  readonly stored: StoredImage;
  readonly relation: Exclude<Relation, 'none'>;
  readonly outcome: ImageOutcome<'change' | 'delete'>;
}

/** A changed record, alone or with writes that belong in the same batch; undefined leaves everything as it is. */
export type Decision = ImageRecord | Decided | undefined;

export interface Decided {
  readonly record: ImageRecord;
  readonly also: readonly Write[];
  /** On whose behalf, where a caller's request ends in a change of the service itself. */
  readonly cause?: Cause | undefined;
  /** What happened, where the two records do not say it. */
  readonly happened?: readonly Happening[];
}

type Decide<At> = (record: ImageRecord, at: At) => Decision | Promise<Decision>;

/**
 * Changes an image for a caller. `decide` may throw, and is called again after a conflict. Returns the image as written.
 * @throws 404, 422 NotImageOwner, 412, 409 for a placeholder, 422 ValidationFailed
 */
export function changeImage(
  service: Service,
  request: ChangeRequest,
  decide: Decide<Passed>,
  rules: ChangeRules = {},
): Promise<StoredImage> {
  const cause = causeOf({ account: request.viewer.account, requestId: request.requestId });
  const by = { cause, account: request.chargedTo ?? request.viewer.account };
  return write(service, request.uuid, rules, by, async (stored) => {
    const decision = await decide(stored.value, await pass(service, request, stored, rules));
    if (decision) assertStaysServed(service, 'also' in decision ? decision.record : decision);
    return decision;
  });
}

export interface OwnChangeOptions extends WriteOptions {
  /** Also changes the tombstone of an image that can still be restored: what is told of its bytes stays true. */
  readonly evenDeleted?: boolean;
}

/** For the service's own changes, to any record but a tombstone. @throws 404 when the image is gone */
export function changeRecord(
  service: Service,
  uuid: string,
  decide: Decide<StoredImage>,
  { evenDeleted = false, ...options }: OwnChangeOptions = {},
): Promise<StoredImage> {
  return write(service, uuid, options, {}, (stored) => {
    const { state, kept } = stored.value;
    if (state === 'deleting' && !(evenDeleted && kept)) throw imageNotFound(uuid);
    return decide(stored.value, stored);
  });
}

async function pass(
  service: Service,
  request: ChangeRequest,
  stored: StoredImage,
  { row = 'change', allowSharees = false }: ChangeRules,
): Promise<Passed> {
  const { value: record } = stored;
  const { viewer } = request;
  const relation = await relationAt(service, request, stored, row);
  if (!allowSharees || relation !== 'sharee') assertMayChangeAs(relation, record, viewer);
  // What nobody is shown has no tag.
  if (isServed(service, stored)) request.condition?.(stored);
  return { stored, relation, outcome: decideFor(record, viewer, row) };
}

/** Operators may delete invalid records, which nobody is served: they and their origins would stay forever otherwise. */
async function relationAt(
  service: Service,
  request: ChangeRequest,
  stored: StoredImage,
  row: 'change' | 'delete',
): Promise<Passed['relation']> {
  if (isServed(service, stored)) return assertVisible(service, stored.value, request);
  if (row === 'delete' && isDeletable(stored, request.viewer)) return 'operator';
  throw imageNotFound(request.uuid);
}

/** Whom an owner who gave the image away had shared it with is not the new owner's to read. */
function toldTo(
  service: Service,
  before: ImageRecord,
  after: ImageRecord,
  cause: Cause,
  happened: readonly Happening[],
): Write[] {
  if (before.owner === after.owner) return eventWrites(service, after, cause, happened);
  const { uuid } = after;
  return happened.flatMap((one) => {
    const { owner } = one.kind === 'unshare' ? before : after;
    return eventWrites(service, { uuid, ...(owner !== undefined && { owner }) }, cause, [one]);
  });
}

/** On whose behalf; absent: the service's own. */
interface Writer {
  readonly cause?: Cause;
  readonly account?: string | undefined;
}

/** Of the upload whose bytes the record counts from now on. */
function newSession({ intent: before }: ImageRecord, { intent: after }: ImageRecord): string | undefined {
  return after?.session === before?.session ? undefined : after?.session;
}

function write(
  service: Service,
  uuid: string,
  { frees = false }: WriteOptions,
  by: Writer,
  decide: (stored: StoredImage) => Decision | Promise<Decision>,
): Promise<StoredImage> {
  return oneAtATime(service, uuid, async () => {
    const change = async (found: StoredImage) => {
      const before = normalized(found);
      const decision = await decide(before);
      if (!decision) return undefined;
      const decided: Decided = 'also' in decision ? decision : { record: decision, also: [] };
      const { record, also, cause = by.cause, happened = cause && changesBetween(before.value, record) } = decided;
      const told = cause && happened ? toldTo(service, before.value, record, cause, happened) : [];
      const kept = await quotaWrites(service, [{ before: before.value, after: record }], {
        account: by.account,
        session: newSession(before.value, record),
      });
      return { value: counted(record), also: [...also, ...told, ...kept] };
    };
    const updated = await updateWith(service.store, IMAGES, uuid, change, { frees });
    if (!updated) throw imageNotFound(uuid);
    return normalized({ ...updated, mtime: service.store.now() });
  });
}

/**
 * A record that does not validate is served to nobody, so no caller's write may produce one. (A placeholder may lack
 * fields that an image in another state must have.) @throws 422 ValidationFailed
 */
export function assertStaysServed(service: Service, record: ImageRecord): void {
  if (record.state !== 'deleting') assertNoProblems(storedRecordProblems(record, rulesOf(service)));
}
