import type { FetchedFrom } from '#lib/api/schemas/copy.ts';
import type { Service } from '../../service/service.ts';
import type { LiveAttempt } from './live-attempt.ts';

/** The same bytes, counted for the pace of the transfer and for the metrics. */
export async function* counted(
  service: Service,
  live: LiveAttempt,
  via: FetchedFrom,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    live.pace.received(chunk.length);
    live.countBytes(via, chunk.length);
    live.flowing();
    yield chunk;
    await service.faults.reach('copy:receiving');
  }
}
