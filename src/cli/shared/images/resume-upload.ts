/** Sends a file until the server has all of it: what breaks off is gone on with where the server says. */
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { pause } from '#lib/runtime/timers.ts';
import { CommandError } from '../../framework/errors.ts';

/** An upload as the server has it. */
export interface Begun {
  readonly uuid: string;
  /** Bytes that are safe. */
  readonly offset: number;
}

export interface Resuming<Stored> {
  readonly begun: Begun;
  /** @throws what the server answers */
  readonly look: () => Promise<Begun>;
  /** Undefined: more is to come. */
  readonly append: (offset: number) => Promise<Stored | undefined>;
  /** What to do when it is given up. */
  readonly advice: string;
  /** Says something beside the result. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Since it broke off, without a new byte. Longer than the lease of a server that died. */
const PATIENCE_MS = 300_000;

export const KEPT = 'what has arrived is kept for a while: the same command goes on there';

/** @throws what the server refuses; CommandError UploadInterrupted when it cannot be reached for long */
export async function untilStored<Stored>(resuming: Resuming<Stored>): Promise<Stored> {
  const { begun, look, append, note, advice, signal } = resuming;
  let { offset } = begun;
  let wait = FIRST_PAUSE_MS;
  let brokeAt: number | undefined;
  for (;;) {
    try {
      const stored = await append(offset);
      if (stored) return stored;
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      if (brokeAt === undefined) {
        note(`The upload broke off (${(error as Error).message}); going on as soon as that is possible.`);
        brokeAt = Date.now();
      }
      if (Date.now() - brokeAt > PATIENCE_MS) throw interrupted(error, advice);
      await pause(wait, signal);
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
    }
    const now = await look().catch((error: unknown) => {
      if (signal.aborted || !mayPass(error)) throw error;
      return { offset };
    });
    if (now.offset > offset) [brokeAt, wait] = [undefined, FIRST_PAUSE_MS];
    offset = now.offset;
  }
}

interface Asking extends Pick<Resuming<unknown>, 'note' | 'signal'> {
  /** Whether to ask again at all, once the server is away. Default: always. */
  readonly mayPass?: (error: unknown) => boolean;
  /** As of {@link Resuming}. */
  readonly advice?: string;
}

/**
 * Asks again while the server is away, which must be good for what may have been done already. For what comes before an
 * upload's bytes and after them.
 * @throws as `untilStored`
 */
export async function untilAnswered<Answer>(
  ask: () => Promise<Answer>,
  { note, signal, mayPass = () => true, advice = KEPT }: Asking,
): Promise<Answer> {
  const since = Date.now();
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !isAway(error) || !mayPass(error)) throw error;
      if (wait === FIRST_PAUSE_MS) note(`The server is away (${(error as Error).message}); going on when it is back.`);
      if (Date.now() - since > PATIENCE_MS) throw interrupted(error, advice);
    }
    await pause(wait, signal);
  }
}

/** The server may still be busy with what was sent before. */
const PASSING: readonly string[] = ['UploadInProgress', 'UploadOffsetMismatch', 'ImageFileBusy'];

function mayPass(error: unknown): boolean {
  return isAway(error) || (error instanceof ImgapiError && PASSING.includes(error.code));
}

function isAway(error: unknown): boolean {
  if (error instanceof ImgapiUnreachableError) return true;
  // A store that the server does not have is not away.
  if (!(error instanceof ImgapiError) || / is not configured here/.test(error.message)) return false;
  return error.statusCode === 503 || error.statusCode === 429;
}

function interrupted(cause: unknown, advice: string): CommandError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(`the upload is interrupted: ${why}`, {
    code: 'UploadInterrupted',
    details: [advice],
    cause,
  });
}
