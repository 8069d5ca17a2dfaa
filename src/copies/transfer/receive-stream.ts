/** Fetches a file as one stream, from where its staging ends. */
import type { WriteSession } from '#lib/objects/object-store.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Service } from '../../service/service.ts';
import { CopyError } from '../documents/failures.ts';
import { openBytes } from './bytes.ts';
import { counted } from './counted.ts';
import type { LiveAttempt } from './live-attempt.ts';

/** The source can only send files from the first byte, so the staged bytes must be dropped. Not a failure. */
export class NoResumeError extends Error {
  override readonly name = 'NoResumeError';
}

interface StreamStaging {
  readonly session: WriteSession;
  /** Set if pieces lie beyond the bytes that count. */
  readonly hasGaps?: true;
  /**
   * From which byte on the rest is to be had in another way, once that is so; asked again and again, with the number of bytes
   * that have come, where the source gives ranges.
   */
  readonly restFrom?: (at: number) => number | undefined;
}

/** Appends what is missing. @throws NoResumeError; what arrived before a failure stays in the session */
export async function receiveStream(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  { session, hasGaps, restFrom }: StreamStaging,
  signal: AbortSignal,
): Promise<void> {
  const { total, image } = live.own;
  const start = session.size;
  if (start === total) return;
  // Only the answer to a range shows that there are ranges.
  const bytes = await openBytes(source, live, { start, ...(restFrom && { end: total - 1 }) }, signal);
  if (bytes.status === 200 && start > 0) {
    bytes.stream.destroy();
    throw new NoResumeError(`${source.name} sends files only from the first byte; ${start} bytes are fetched again`);
  }
  live.note({ via: bytes.via });
  const onProgress = (size: number): void => live.reached(size, hasGaps && size);
  let end: number | undefined;
  const endOf = (at: number): number | undefined => {
    if (bytes.status === 206) end ??= restFrom?.(at);
    return end;
  };
  try {
    const limited = live.throttle.limit(counted(service, live, bytes.via, bytes.stream), signal);
    await session.append(until(endOf, start, limited), { signal, onProgress, disposable: true });
  } finally {
    bytes.stream.destroy();
  }
  if (session.size < (end ?? total)) {
    const message = `${source.name} ended the file of image "${image}" after ${session.size} of ${total} bytes`;
    throw new CopyError('SourceUnreachable', message);
  }
}

/** The bytes up to an end that may become known on the way; what comes without one, however long, is for the session to judge. */
async function* until(
  endOf: (at: number) => number | undefined,
  start: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = start;
  let end = endOf(at);
  for await (const chunk of bytes) {
    const part = end === undefined ? chunk : chunk.subarray(0, end - at);
    at += part.length;
    yield part;
    end = endOf(at);
    if (end !== undefined && at >= end) return;
  }
}
