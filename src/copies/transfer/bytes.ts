/**
 * Where the bytes of a file come from: a pull URL straight from the source's object store, else the source's IMGAPI.
 * The first one that answers is used; after an attempt that brought no byte, the other one is tried first.
 */
import type { FetchedFrom } from '#lib/api/schemas/copy.ts';
import type { FileRequest, ImageSource, SourceFile } from '../../datacenters/sources/source.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CopyError, FAILURES } from '../documents/failures.ts';
import type { Transfer } from '../documents/model.ts';
import type { LiveAttempt } from './live-attempt.ts';

const END_MS = 5000;

export interface OpenBytes extends SourceFile {
  readonly via: FetchedFrom;
}

type Opener = (source: ImageSource, live: LiveAttempt, request: FileRequest) => Promise<SourceFile | undefined>;

const OPENERS: Readonly<Record<FetchedFrom, Opener>> = {
  'pull-url': fromPullUrl,
  imgapi: (source, { own }, request) => source.getFile(own.image, request),
};

/** The first failure in a row is no reason to switch, because bytes came before it. After that the paths alternate. */
export function pathsToTry({ count }: Pick<Transfer['retry'], 'count'>): readonly FetchedFrom[] {
  return count > 0 && count % 2 === 0 ? ['imgapi', 'pull-url'] : ['pull-url', 'imgapi'];
}

/** @throws if no path works: a failure after which a retry may help, if there was one */
export async function openBytes(
  source: ImageSource,
  live: LiveAttempt,
  range: Pick<FileRequest, 'start' | 'end'>,
  signal: AbortSignal,
): Promise<OpenBytes> {
  const { account, sha1 } = live.own;
  const failures: unknown[] = [];
  for (const via of pathsToTry(live.retry)) {
    try {
      const file = await OPENERS[via](source, live, { account, ...range, sha1, signal });
      if (file) return { ...file, via };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  throw hopeful(failures);
}

/** What to say if no way worked: an image that was deleted may still be there by its pull link, once that can be reached. */
export function hopeful(failures: readonly unknown[]): unknown {
  const passing = failures.find((error) => FAILURES[failureOf(error).code].action === 'retry');
  return passing ?? failures.at(-1) ?? new CopyError('SourceInvalid', 'the source offers no way to read its files');
}

async function fromPullUrl(
  source: ImageSource,
  live: LiveAttempt,
  request: FileRequest,
): Promise<SourceFile | undefined> {
  const url = await pullUrlOf(source, live, request.signal);
  return url === undefined ? undefined : source.getPullUrl(url, request);
}

/** Undefined if the source gives none. @throws CopyError SourceChanged */
export async function pullUrlOf(
  source: ImageSource,
  live: LiveAttempt,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { image, account, pull, sha1, total } = live.own;
  const answer = await pullUrl(source, image, account, pull, live.patience(signal));
  if (!answer) return undefined;
  live.note({ pull: answer.reqid });
  // Recorded before anything else, so that whoever ends the transfer knows about the link.
  if (answer.reqid !== pull) await live.beat();
  if (live.signal.aborted && answer.reqid !== pull) await endUnrecorded(source, answer.reqid);
  if (answer.sha1 !== sha1 || answer.size !== total) {
    throw new CopyError('SourceChanged', `image "${image}" now has another file in datacenter "${source.name}"`);
  }
  return answer.url;
}

/** Ends a pull link that was made while the copy was being canceled, so that nobody else knows about it. */
async function endUnrecorded(source: ImageSource, reqid: string): Promise<void> {
  // If this fails, the link expires at the source.
  await source.endPull(reqid, AbortSignal.timeout(END_MS)).catch(() => {});
}

/** Renews the link that this transfer made before, or makes a new one. */
async function pullUrl(
  source: ImageSource,
  image: string,
  account: string | undefined,
  renew: string | undefined,
  signal: AbortSignal,
): ReturnType<ImageSource['createPullUrl']> {
  if (renew === undefined) return source.createPullUrl(image, account, undefined, signal);
  try {
    return await source.createPullUrl(image, account, renew, signal);
  } catch (error) {
    if (failureOf(error).code !== 'SourceGone') throw error;
    // The link expired because it was not renewed in time; the image itself may still be there.
    return source.createPullUrl(image, account, undefined, signal);
  }
}
