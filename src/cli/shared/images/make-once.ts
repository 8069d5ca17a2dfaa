/** Makes an image of which there must not be two, also when the answer that it was made is lost. */
import { randomUUID } from 'node:crypto';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import type { Output } from '../../output/output.ts';
import { untilAnswered } from './resume-upload.ts';

interface Making {
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** A server that was not reached has made nothing: whoever asks is told at once. */
const NOT_SENT: readonly string[] = ['connect', 'connect-timeout'];

const ADVICE = 'the image may have been made: it is not active then, and listed with --all';

/** @param ask by a key, so that the server knows the request when it comes again */
export function makeOnce<I>(ask: (key: string) => Promise<I>, making: Making): Promise<I> {
  const key = randomUUID();
  return onceSent(() => ask(key), making);
}

/**
 * Under the UUID that it has elsewhere. One that is there and waits for its file is gone on with: what made it may have been this command,
 * or the one before.
 */
export function importOnce<I extends { readonly name: string; readonly version: string; readonly state: string }>(
  {
    ask,
    look,
    fields,
  }: {
    readonly ask: () => Promise<I>;
    readonly look: () => Promise<I>;
    readonly fields: Readonly<Record<string, unknown>>;
  },
  making: Making,
): Promise<I> {
  return onceSent(async () => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ImgapiError) || error.code !== 'ImageUuidAlreadyExists') throw error;
      const there = await look();
      const isSame = there.name === fields['name'] && there.version === fields['version'];
      if (there.state !== 'unactivated' || !isSame) throw error;
      making.output.note('The image is here already and waits for its file: going on with it.');
      return there;
    }
  }, making);
}

function onceSent<I>(ask: () => Promise<I>, { output, signal }: Making): Promise<I> {
  let wasSent = false;
  const mayPass = (error: unknown): boolean => {
    wasSent ||= !(error instanceof ImgapiUnreachableError && NOT_SENT.includes(error.fault));
    return wasSent;
  };
  return untilAnswered(ask, { note: (text) => output.note(text), signal, mayPass, advice: ADVICE });
}
