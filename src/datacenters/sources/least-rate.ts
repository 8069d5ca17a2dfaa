/**
 * Ends a download that a request waits for when its server only drips: it never stalls, and would hold the request, and the
 * room that is kept for its file, for ever. It has to be as fast as a copy has to be; only time in which this side waits counts.
 */
import { Readable } from 'node:stream';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import type { WithConfig } from '../../service/config/config.ts';

/** The same bytes. Destroying it destroys the stream. @param url names the server in the error */
export function withLeastRate({ config }: WithConfig, stream: Readable, url: string): Readable {
  const { leastRate, leastRateSeconds } = config.copies;
  if (leastRate === 0) return stream;
  const paced = Readable.from(pacedBy(stream, { leastRate, leastRateSeconds, url }), { highWaterMark: 1 });
  // The generator itself only notices when the next piece arrives.
  paced.once('close', () => stream.destroy());
  return paced;
}

interface Rate {
  readonly leastRate: number;
  readonly leastRateSeconds: number;
  readonly url: string;
}

async function* pacedBy(
  stream: Readable,
  { leastRate, leastRateSeconds, url }: Rate,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  let seconds = 0;
  let since = performance.now();
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    seconds += (performance.now() - since) / 1000;
    if (seconds >= leastRateSeconds) {
      if (bytes < leastRate * seconds) {
        const why = `only ${bytes} bytes came in ${Math.round(seconds)} s`;
        throw new ImgapiUnreachableError('idle-timeout', url, `${url} is too slow: ${why}`);
      }
      bytes = 0;
      seconds = 0;
    }
    yield piece;
    since = performance.now();
  }
}
