/** How far an upload is. */
import { formatRate, formatShare } from '../../output/bytes.ts';
import { formatDuration } from '../../output/duration.ts';
import { LiveRegion } from '../../output/live-region.ts';
import type { Output } from '../../output/output.ts';
import { truncate } from '../../output/text-width.ts';

const REDRAW_MS = 200;

/** A line on a terminal that is redrawn; nothing elsewhere. */
export class UploadProgress {
  readonly #output: Output;
  readonly #region: LiveRegion;
  readonly #size: number;
  readonly #what: string;
  #began = Date.now();
  #drawnAt = 0;
  #bytes = 0;
  #before = 0;

  constructor(output: Output, size: number, what = 'uploading') {
    this.#output = output;
    this.#region = new LiveRegion(output);
    this.#size = size;
    this.#what = what;
  }

  /** Bytes that were there before: the rate is that of what comes now. */
  startAt(bytes: number): void {
    this.#bytes = bytes;
    this.#before = bytes;
    this.#began = Date.now();
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
    if (Date.now() - this.#drawnAt >= REDRAW_MS) this.#draw('');
  }

  end(): void {
    this.#draw('  stored');
  }

  /** Nothing is left of it. */
  clear(): void {
    if (this.#output.terminal) this.#region.draw([]);
  }

  #draw(end: string): void {
    const { terminal } = this.#output;
    if (!terminal) return;
    this.#drawnAt = Date.now();
    const rate = (this.#bytes - this.#before) / Math.max(0.001, (Date.now() - this.#began) / 1000);
    const left = end === '' && rate > 0 ? `  ${formatDuration((this.#size - this.#bytes) / rate)} left` : end;
    const percent = `${Math.floor((this.#bytes / this.#size) * 100)}%`.padStart(4);
    const words = `${percent}  ${formatShare(this.#bytes, this.#size)}  ${formatRate(rate)}${left}`;
    this.#region.draw([truncate(`${this.#what}  ${words}`, terminal.columns - 1)]);
  }
}
