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
  /** Whether the rest is to be had in another way from now on. Asked only where the source gives ranges. */
  readonly isEnough?: () => boolean;
}

/** Appends what is missing. @throws NoResumeError; what arrived before a failure stays in the session */
export async function receiveStream(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  { session, hasGaps, isEnough }: StreamStaging,
  signal: AbortSignal,
): Promise<void> {
  const { total, image } = live.own;
  const start = session.size;
  if (start === total) return;
  // Only the answer to a range shows that there are ranges.
  const bytes = await openBytes(source, live, { start, ...(isEnough && { end: total - 1 }) }, signal);
  if (bytes.status === 200 && start > 0) {
    bytes.stream.destroy();
    throw new NoResumeError(`${source.name} sends files only from the first byte; ${start} bytes are fetched again`);
  }
  live.note({ via: bytes.via });
  const onProgress = (size: number): void => live.reached(size, hasGaps && size);
  let isCut = false;
  const isOver = (): boolean => {
    isCut ||= isEnough !== undefined && bytes.status === 206 && isEnough();
    return isCut;
  };
  try {
    const limited = live.throttle.limit(counted(service, live, bytes.via, bytes.stream), signal);
    await session.append(until(isOver, limited), { signal, onProgress, disposable: true });
  } finally {
    bytes.stream.destroy();
  }
  if (session.size < total && !isCut) {
    const message = `${source.name} ended the file of image "${image}" after ${session.size} of ${total} bytes`;
    throw new CopyError('SourceUnreachable', message);
  }
}

async function* until(isOver: () => boolean, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk;
    if (isOver()) return;
  }
}
