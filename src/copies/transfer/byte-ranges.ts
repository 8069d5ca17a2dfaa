/** Ranges of one file, many at a time. The way that works is found once, and kept for as long as it works. */
import type { FetchedFrom } from '#lib/api/schemas/copy.ts';
import type { FileRequest, ImageSource, SourceFile } from '../../datacenters/sources/source.ts';
import { hopeful, type OpenBytes, pathsToTry, pullUrlOf } from './bytes.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { NoPiecesError } from './piece-hashes.ts';

type Opener = (request: FileRequest) => Promise<SourceFile>;

export interface ByteRanges {
  /**
   * Both ends included, as in HTTP.
   * @throws NoPiecesError if the source gives no ranges; otherwise what it answers
   */
  open(start: number, end: number, signal: AbortSignal): Promise<OpenBytes>;
}

export async function openRanges(source: ImageSource, live: LiveAttempt, signal: AbortSignal): Promise<ByteRanges> {
  const { image, account, sha1 } = live.own;
  const openers: { readonly via: FetchedFrom; readonly open: Opener }[] = [];
  const failures: unknown[] = [];
  for (const via of pathsToTry(live.retry)) {
    if (via === 'imgapi') openers.push({ via, open: (request) => source.getFile(image, request) });
    else {
      try {
        const url = await pullUrlOf(source, live, signal);
        if (url !== undefined) openers.push({ via, open: (request) => source.getPullUrl(url, request) });
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
  }
  const openFirst = async (request: FileRequest): Promise<OpenBytes> => {
    const refusals = [...failures];
    for (const [index, { via, open }] of [...openers].entries()) {
      try {
        const file = await open(request);
        // Whatever worked is tried first from now on.
        const tried = openers.findIndex((opener) => opener.via === via);
        if (index > 0) openers.unshift(...openers.splice(tried, 1));
        live.note({ via });
        return { ...file, via };
      } catch (error) {
        request.signal.throwIfAborted();
        refusals.push(error);
      }
    }
    throw hopeful(refusals);
  };
  return {
    async open(start, end, stop) {
      const file = await openFirst({ account, sha1, start, end, signal: stop });
      if (file.status === 206) return file;
      file.stream.destroy();
      throw new NoPiecesError(`${source.name} sends files only as a whole`);
    },
  };
}
