import type { FetchedFrom } from '#lib/api/schemas/copy.ts';
import type { Service } from '../../service/service.ts';
import type { LiveAttempt } from './live-attempt.ts';

/** The same bytes, counted for the pace of the transfer and for the metrics. */
export async function* counted(
  service: Service,
  { pace, countBytes }: LiveAttempt,
  via: FetchedFrom,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    pace.received(chunk.length);
    countBytes(via, chunk.length);
    yield chunk;
    await service.faults.reach('copy:receiving');
  }
}
