/**
 * Holds a UUID for an image that is about to get it, while its bytes are being placed there. The reservation is a record
 * that nobody sees, in the form of a tombstone: whoever wants the UUID for another image finishes it like any other one,
 * which ends the placing (`tombstones.ts`), and so does a task once its lease has run out.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { LeaseKeeper, LeaseLostError } from '#lib/documents/lease.ts';
import type { Write } from '#lib/documents/store.ts';
import { isConflict } from '#lib/documents/update.ts';
import { IMAGES, type ImageRecord, type PlacementIntent } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { PLACEMENT_LEASE_MS } from '../files/file-placement.ts';
import { loadRaw } from '../record/load.ts';
import { counted, putRecord } from '../record/record-write.ts';
import { currentRecord, finishDelete, isReserved, tombstone } from '../record/tombstones.ts';

const RENEWALS = 3;

export interface Reservation {
  /** Aborts with a {@link LeaseLostError} when the UUID is, or may be, somebody else's now. */
  readonly signal: AbortSignal;
  /** Notes what is about to be placed, before its session begins. @throws 409 Conflict */
  stage(intent: Omit<PlacementIntent, 'worker'>): Promise<void>;
  /** Ends the renewals: the reservation does not change any more. */
  end(): Promise<void>;
  /** Puts the image in its place; belongs in the batch with everything else. @throws 409 Conflict when it is lost */
  replacedBy(record: ImageRecord): Promise<Write>;
  /** Gives the UUID up, and removes what was placed. */
  release(): Promise<void>;
}

/** @param image the image that will have it @throws 409 ImageUuidAlreadyExists */
export async function reserveUuid(service: Service, uuid: string, image: ImageRecord): Promise<Reservation> {
  await assertFree(service, uuid);
  const { files: _, icon: __, intent: ___, rev: ____, ...empty } = tombstone({ ...image, uuid });
  const held = new Held(service, { ...empty, reserved_by: service.worker });
  await held.write(undefined).catch((error: unknown) => {
    throw isConflict(error) ? taken(uuid, error) : error;
  });
  return held;
}

/** Another reservation is left alone; an import would end it. @throws 409 ImageUuidAlreadyExists */
export async function assertFree(service: Service, uuid: string): Promise<void> {
  const found = await loadRaw(service, uuid);
  if (found && isReserved(found, service.store.now())) throw taken(uuid);
  if (await currentRecord(service, uuid)) throw taken(uuid);
}

function taken(uuid: string, cause?: unknown): ApiError {
  return new ApiError('ImageUuidAlreadyExists', `image "${uuid}" already exists`, { cause });
}

class Held implements Reservation {
  readonly #service: Service;
  readonly #keeper: LeaseKeeper;
  #record: ImageRecord;
  #etag: string | null = null;
  #until = 0;
  /** Of the last write, whose answer may have been lost. */
  #tried: string | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(service: Service, record: ImageRecord) {
    this.#service = service;
    this.#record = record;
    this.#keeper = new LeaseKeeper({
      clock: service.store,
      everyMs: PLACEMENT_LEASE_MS / RENEWALS,
      lease: () => ({ worker: service.worker, until: this.#until }),
      renew: () => this.#next(this.#record.intent),
      onMissed: (err) => service.log.warn({ err, image: record.uuid }, 'could not renew the lease of a reserved UUID'),
    });
  }

  get signal(): AbortSignal {
    return this.#keeper.signal;
  }

  async stage(intent: Omit<PlacementIntent, 'worker'>): Promise<void> {
    try {
      await this.#next({ ...intent, worker: this.#service.worker });
    } catch (error) {
      throw error instanceof LeaseLostError ? this.#lost(error) : error;
    }
  }

  async end(): Promise<void> {
    await this.#keeper.end();
    await this.#writing;
  }

  async replacedBy(record: ImageRecord): Promise<Write> {
    const now = await this.#service.store.get(IMAGES, this.#record.uuid);
    if (now === undefined || now.etag !== this.#etag) throw this.#lost();
    return putRecord({ ...record, rev: this.#record.rev ?? 0 }, now.etag);
  }

  async release(): Promise<void> {
    await this.end();
    const { uuid } = this.#record;
    // By now another one may have it: to that, its lease is another's.
    await finishDelete(this.#service, uuid, (record) => this.#isOurs(record)).catch((err: unknown) =>
      this.#service.log.warn({ err, image: uuid }, 'could not give a reserved UUID up; the clean-up task will'),
    );
  }

  /** One after the other: a renewal may come while something is staged. */
  #next(intent: PlacementIntent | undefined): Promise<void> {
    const next = this.#writing.then(() =>
      this.write(intent).catch((cause: unknown) => {
        throw isConflict(cause) ? new LeaseLostError('the UUID is not reserved any more', { cause }) : cause;
      }),
    );
    this.#writing = next.catch(() => undefined);
    return next;
  }

  async write(intent: PlacementIntent | undefined): Promise<void> {
    const until = this.#service.store.now() + PLACEMENT_LEASE_MS;
    const record = {
      ...this.#record,
      ...(intent && { intent }),
      intent_lease: new Date(until).toISOString(),
    };
    this.#tried = record.intent_lease;
    const [etag = ''] = await this.#service.store.batch([putRecord(record, this.#etag)]);
    this.#etag = etag;
    this.#record = counted(record);
    this.#until = until;
  }

  /** Any other reservation of the UUID was made later, so its lease ends later. */
  #isOurs({ intent_lease: lease }: ImageRecord): boolean {
    return lease !== undefined && (lease === this.#tried || lease === this.#record.intent_lease);
  }

  #lost(cause?: unknown): ApiError {
    const { uuid } = this.#record;
    return new ApiError('Conflict', `another image got the UUID "${uuid}" meanwhile, or it took too long`, { cause });
  }
}
