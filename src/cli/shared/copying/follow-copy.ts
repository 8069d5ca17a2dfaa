/**
 * Watches a copy to its end. The copy belongs to the server and needs no watcher: when the connection breaks, as it
 * does when the server restarts, it is made again.
 */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { pause as sleep } from '#lib/runtime/timers.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';

/** Gives the status immediately and after each change. */
export type WatchCopy = (signal: AbortSignal) => AsyncIterable<CopyStatus>;

/**
 * Where the server has no place for one more watch, the status is asked for instead.
 * What it returns throws the refusal all the same, after the status.
 */
export function watchOrAsk(watch: WatchCopy, ask: (signal: AbortSignal) => Promise<CopyStatus>): WatchCopy {
  return async function* (signal) {
    try {
      yield* watch(signal);
    } catch (error) {
      if (isCrowded(error)) yield await ask(signal);
      throw error;
    }
  };
}

export type CopyEvent =
  | { readonly kind: 'status'; readonly status: CopyStatus }
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'back' };

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Milliseconds without a connection after which it is given up. */
  readonly patience: number;
  /** Milliseconds before the connection is made again: doubles from the first to the second. */
  readonly pause?: { readonly min: number; readonly max: number };
}

const PAUSE = { min: 500, max: 10_000 } as const;

/**
 * The last event is the final status. @throws ImgapiError when the server does not know the copy, CommandError when it
 * could not be asked for too long, or the signal's reason
 */
export async function* followCopy(
  watch: WatchCopy,
  { signal, patience, pause = PAUSE }: FollowOptions,
): AsyncGenerator<CopyEvent, void> {
  let lostAt: number | undefined;
  let delay: number = pause.min;
  for (;;) {
    let trouble: unknown;
    let isQuiet = false;
    try {
      for await (const status of watch(signal)) {
        if (lostAt !== undefined) yield { kind: 'back' };
        lostAt = undefined;
        delay = pause.min;
        isQuiet = true;
        yield { kind: 'status', status };
        if (isFinal(status.state)) return;
      }
    } catch (error) {
      if (!isPassing(error)) throw error;
      trouble = error;
    }
    signal.throwIfAborted();
    if (isCrowded(trouble)) {
      // The server is there, however long it has no place.
      if (lostAt !== undefined) yield { kind: 'back' };
      lostAt = undefined;
      await sleep(pause.max, signal);
      continue;
    }
    // A copy may have no news for a long time; that is no fault.
    if (isQuiet && trouble instanceof ImgapiUnreachableError && trouble.fault === 'idle-timeout') continue;
    if (lostAt === undefined) {
      lostAt = Date.now();
      yield { kind: 'lost', why: trouble instanceof Error ? trouble.message : 'the server ended the connection' };
    } else if (Date.now() - lostAt >= patience) throw givenUp(trouble);
    await sleep(delay, signal);
    delay = Math.min(delay * 2, pause.max);
  }
}

/** All places for watches are taken, or those of the account. */
function isCrowded(error: unknown): boolean {
  return error instanceof ImgapiError && (error.code === 'TooManyRequests' || error.code === 'ServerBusy');
}

/** What a server that restarts, or a proxy before it, may answer. */
function isPassing(error: unknown): boolean {
  if (error instanceof ImgapiError) return error.statusCode >= 500 || error.statusCode === 429;
  return error instanceof ImgapiUnreachableError;
}

function givenUp(cause: unknown): CommandError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new CommandError(`the connection to the server was lost and did not come back${why}`, {
    code: 'Unreachable',
    exitCode: EXIT.unreachable,
    details: ['The copy itself goes on as long as the server runs; the same command watches it again.'],
    cause,
  });
}
