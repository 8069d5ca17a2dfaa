/**
 * Sessions as all processes see them. S3 shows nothing of an upload before it is complete, so a later session gets the
 * bytes of an earlier one by completing its upload, under a key where no reader looks. That also ends the earlier
 * session: the store takes no more parts.
 *
 * A commit and whoever ends a session meet in the register. A commit claims the session for as long as it works, and
 * whoever comes meanwhile waits; once the session is fenced no commit can begin. If a process dies in a commit, its
 * claim runs out, and the store decides: an upload is completed or aborted, never both.
 */
import { type Clock, lasts } from '../../runtime/clock.ts';
import { startInterval } from '../../runtime/timers.ts';
import { SessionGoneError } from '../errors.ts';
import { fenceSession } from '../staging/fence.ts';
import type { StagedEntry, StagingRegister } from '../staging/register.ts';
import type { S3Calls } from './calls.ts';
import type { Keys } from './keys.ts';
import { deleteObjects, headObject } from './objects.ts';
import { isMissing } from './s3-error.ts';
import { abortUpload, completeUpload, LEAST_PART, listParts, type Part, type UploadId } from './uploads.ts';

/** What the register holds of a session. */
export interface S3Staged {
  /** Nobody takes its bytes over: its upload leads straight to the final key. */
  readonly once?: boolean;
  readonly upload?: UploadId;
  /** The upload of a copy to the final key. */
  readonly copy?: UploadId;
  /** Bytes that are no part yet, in an object of their own: their place in the object, and how many. */
  readonly tail?: { readonly offset: number; readonly size: number };
  /** A commit is under way until then, in milliseconds since the epoch. */
  readonly placing?: number;
  /** Its writer is out. */
  readonly fenced?: boolean;
  /** Bytes under the body's key, after a take-over has completed the upload. */
  readonly sealed?: number;
}

export type S3Entry = StagedEntry<S3Staged>;

/** The bytes of a session that has been taken over. */
export interface SealedBytes {
  readonly body: { readonly key: string; readonly size: number };
  readonly tail: { readonly key: string; readonly size: number };
}

/** Milliseconds. A claim that ends later than one that long comes from a clock that was wrong, and would hold others up. */
const LONGEST_CLAIM = 120_000;

export class Staging {
  readonly register: StagingRegister<S3Staged>;
  readonly keys: Keys;
  readonly #calls: S3Calls;
  readonly #clock: Clock;

  constructor(calls: S3Calls, keys: Keys, register: StagingRegister<S3Staged>, clock: Clock) {
    this.register = register;
    this.keys = keys;
    this.#calls = calls;
    this.#clock = clock;
  }

  /** Whether a commit or a copy is under way. */
  isPlacing({ placing = 0 }: S3Staged): boolean {
    return lasts(placing, LONGEST_CLAIM, this.#clock.now());
  }

  /** A change by the session's writer. @throws SessionGoneError once somebody has fenced it */
  async write(session: string, change: Partial<S3Staged>, size?: number): Promise<void> {
    await this.register.update(session, ({ state }) => {
      if (state.fenced) throw new SessionGoneError(session);
      return { state: { ...state, ...change }, ...(size !== undefined && { size }) };
    });
  }

  /**
   * Does the work of a commit while nobody can end the session. If the work has told that something may come yet of what
   * failed, the claim stays until it runs out.
   * @throws SessionGoneError
   */
  async placing<T>(session: string, work: (onDoubt: () => void) => Promise<T>): Promise<T> {
    const { claim } = this.#calls.limits;
    const renew = (): Promise<void> => this.write(session, { placing: this.#clock.now() + claim });
    await renew();
    let renewal: Promise<void> = Promise.resolve();
    const timer = startInterval(() => {
      renewal = renew().catch(() => undefined);
    }, claim / 3).unref();
    let isInDoubt = false;
    const onDoubt = (): void => {
      isInDoubt = true;
    };
    try {
      return await work(onDoubt);
    } catch (error) {
      timer.stop();
      // One that is under way would claim it again.
      await renewal;
      if (!isInDoubt) await this.write(session, { placing: 0 }).catch(() => undefined);
      throw error;
    } finally {
      timer.stop();
    }
  }

  /** After it no commit can succeed. Absent is no error. */
  async discard(session: string): Promise<void> {
    const entry = await this.#fence(session);
    if (!entry) return;
    await this.#removeAll(entry);
    await this.register.remove(session);
  }

  /** For the writer, after its commit: removes what is still staged under these keys. */
  async finish(session: string, keys: readonly string[]): Promise<void> {
    await deleteObjects(this.#calls, keys);
    await this.register.remove(session);
  }

  /** Ends the session, and makes the bytes that it has staged readable; undefined if there are none. */
  async seal(session: string): Promise<SealedBytes | undefined> {
    const entry = await this.#fence(session);
    if (!entry || entry.state.once) return undefined;
    const { sealed = await this.#completeBody(entry), tail } = entry.state;
    const rest = tail?.offset === sealed ? tail.size : 0;
    if (entry.state.sealed === undefined) {
      await this.register.update(session, ({ state }) => ({ size: sealed + rest, state: { ...state, sealed } }));
    }
    return {
      body: { key: this.keys.body(session), size: sealed },
      tail: { key: this.keys.tail(session), size: rest },
    };
  }

  /** Puts what has arrived together; returns how many bytes there are. */
  async #completeBody({ session, state: { upload } }: S3Entry): Promise<number> {
    if (!upload) return 0;
    try {
      const parts = leading(await listParts(this.#calls, upload));
      if (parts.length === 0) await abortUpload(this.#calls, upload);
      else await completeUpload(this.#calls, upload, parts, session);
    } catch (error) {
      // Complete already, by a commit that did not get further or by another take-over.
      if (!isMissing(error)) throw error;
    }
    return (await headObject(this.#calls, upload.key))?.size ?? 0;
  }

  #fence(session: string): Promise<S3Entry | undefined> {
    const isPlacing = (state: S3Staged): boolean => this.isPlacing(state);
    return fenceSession(this.register, session, isPlacing, (state) => ({ ...state, fenced: true }));
  }

  /** Uploads first: while there is one, it can still become an object. */
  async #removeAll({ session, state: { upload, copy, once, tail } }: S3Entry): Promise<void> {
    for (const each of [upload, copy]) {
      if (each) await abortUpload(this.#calls, each);
    }
    const body = upload && !once ? [this.keys.body(session)] : [];
    const rest = tail ? [this.keys.tail(session)] : [];
    await deleteObjects(this.#calls, [...body, ...rest]);
  }
}

/** Parts up to the first gap, and up to the first one that nothing may follow. */
function leading(parts: readonly Part[]): Part[] {
  const found: Part[] = [];
  for (const part of parts) {
    if (part.number !== found.length + 1) break;
    found.push(part);
    if (part.size < LEAST_PART) break;
  }
  return found;
}
