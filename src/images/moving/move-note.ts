/**
 * The note of a move under way: who moves which image to which store, and where the bytes are staged. So one process at a
 * time does the work, whoever asks for the same waits for it, and if its process dies or stops, another one goes on.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeld, type Lease, LeaseKeeper, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';
import { isConflict, unlessChanged } from '#lib/documents/update.ts';
import type { Service } from '../../service/service.ts';

/** Bytes of an object in the staging of the target. */
export interface StagedMove {
  readonly session: string;
  /** Path of the object. */
  readonly path: string;
}

interface MoveNote {
  /** Name of the object store. */
  readonly to: string;
  /** Absent: whoever comes first goes on. */
  readonly lease?: Lease;
  readonly staged?: StagedMove;
  /** Counts the writes. */
  readonly rev: number;
}

/** Keyed by the image's UUID. */
export const MOVES: Bucket<MoveNote> = { name: 'imgapi_moves', version: 1, index: {} };

const LEASE_SECONDS = 30;
const RENEWALS = 3;

export interface HeldMove {
  /** Aborts with a {@link LeaseLostError} when another process may have taken over. */
  readonly signal: AbortSignal;
  /** What an earlier process left. */
  readonly staged: StagedMove | undefined;
  /** Notes where the bytes are. @throws LeaseLostError */
  stage(staged: StagedMove): Promise<void>;
  /** @param isOver whether it has succeeded or failed; otherwise the note stays, for somebody to go on */
  release(isOver: boolean): Promise<void>;
}

/**
 * Undefined while somebody else is moving the image to the same store.
 * @throws 409 ImageFileBusy while it is being moved to another one
 */
export async function holdMove(service: Service, uuid: string, to: string): Promise<HeldMove | undefined> {
  const { store, storages } = service;
  const found = await store.get(MOVES, uuid);
  const before = found?.value;
  if (before && isHeld(before.lease, store.now())) {
    if (before.to === to) return undefined;
    throw new ApiError('ImageFileBusy', `image "${uuid}" is being moved to "${before.to}" right now; try again later`);
  }
  const staged = before?.to === to ? before.staged : undefined;
  const move = new Move(service, uuid, { to, ...(staged && { staged }), rev: before?.rev ?? 0 }, found?.etag ?? null);
  if (!(await unlessChanged(move.claim()))) return undefined;
  // The other way is given up.
  if (before?.staged && !staged) await discardStaged(storages, before.to, before.staged);
  return move;
}

/**
 * Drops the note of a move that nobody is at work on and that has nothing left to do: all objects are where they are to
 * be. The last of them may have been settled by whoever recovered its placement, which knows nothing of the move.
 */
export async function endAbandonedMove({ store, storages }: Service, uuid: string): Promise<void> {
  const note = await store.get(MOVES, uuid);
  if (!note || isHeld(note.value.lease, store.now())) return;
  await unlessChanged(
    store.batch([{ op: 'del', bucket: MOVES, key: uuid, ifEtag: note.etag }], { frees: true }).then(async () => {
      const { to, staged } = note.value;
      if (staged) await discardStaged(storages, to, staged);
    }),
  );
}

/** The sweeper does it if this fails. */
async function discardStaged(storages: Service['storages'], stor: string, { session }: StagedMove): Promise<void> {
  await storages
    .find(stor)
    ?.discard(session)
    .catch(() => undefined);
}

/** Whether a process moves the image to another store right now. */
export async function isMoving({ store }: Pick<Service, 'store'>, uuid: string): Promise<boolean> {
  const note = await store.get(MOVES, uuid);
  return note !== undefined && isHeld(note.value.lease, store.now());
}

/** For the batch that ends the deletion of an image. */
export function forgetMove(uuid: string): Write {
  return { op: 'del', bucket: MOVES, key: uuid };
}

/** The moves that nobody is at work on, as image and name of the store. */
export async function* abandonedMoves({ store }: Pick<Service, 'store'>): AsyncGenerator<readonly [string, string]> {
  for await (const found of store.scan(MOVES, {})) {
    const now = store.now();
    for (const { key, value } of found) if (!isHeld(value.lease, now)) yield [key, value.to];
  }
}

/** Those of the sessions in which moves, under way or abandoned, have staged bytes. */
export async function sessionsOfMoves(
  { store }: Pick<Service, 'store'>,
  among: ReadonlySet<string>,
): Promise<Set<string>> {
  const held = new Set<string>();
  for await (const found of store.scan(MOVES, {})) {
    for (const { value } of found) if (value.staged && among.has(value.staged.session)) held.add(value.staged.session);
  }
  return held;
}

class Move implements HeldMove {
  readonly staged: StagedMove | undefined;
  readonly #service: Service;
  readonly #uuid: string;
  readonly #keeper: LeaseKeeper;
  #note: MoveNote;
  #etag: string | null;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(service: Service, uuid: string, note: MoveNote, etag: string | null) {
    this.staged = note.staged;
    this.#service = service;
    this.#uuid = uuid;
    this.#note = note;
    this.#etag = etag;
    this.#keeper = new LeaseKeeper({
      clock: service.store,
      everyMs: (LEASE_SECONDS * 1000) / RENEWALS,
      lease: () => this.#note.lease,
      renew: () => this.#write((current) => ({ ...current, lease: this.#lease() })),
      onMissed: (err) => service.log.warn({ err, image: uuid }, 'could not renew the lease of a move'),
    });
  }

  get signal(): AbortSignal {
    return this.#keeper.signal;
  }

  async claim(): Promise<void> {
    try {
      await this.#put({ ...this.#note, lease: this.#lease() });
    } catch (error) {
      await this.#keeper.end();
      throw error;
    }
  }

  stage(staged: StagedMove): Promise<void> {
    return this.#write((current) => ({ ...current, staged }));
  }

  async release(isOver: boolean): Promise<void> {
    await this.#keeper.end();
    await this.#writing;
    const { lease: _, ...note } = this.#note;
    if (!isOver) await unlessChanged(this.#put(note));
    else if (this.#etag !== null) {
      const end: Write = { op: 'del', bucket: MOVES, key: this.#uuid, ifEtag: this.#etag };
      await unlessChanged(this.#service.store.batch([end], { frees: true }));
    }
  }

  #lease(): Lease {
    const { worker, store } = this.#service;
    return newLease(worker, LEASE_SECONDS, store.now());
  }

  /** Changes are written one after the other, under the condition that nobody else has written. */
  #write(change: (current: MoveNote) => MoveNote): Promise<void> {
    const next = this.#writing.then(() =>
      this.#put(change(this.#note)).catch((cause: unknown) => {
        throw isConflict(cause) ? new LeaseLostError('another process moves the image now', { cause }) : cause;
      }),
    );
    this.#writing = next.catch(() => undefined);
    return next;
  }

  async #put(note: MoveNote): Promise<void> {
    const value = { ...note, rev: note.rev + 1 };
    [this.#etag = null] = await this.#service.store.batch([
      { op: 'put', bucket: MOVES, key: this.#uuid, value, ifEtag: this.#etag },
    ]);
    this.#note = value;
  }
}
