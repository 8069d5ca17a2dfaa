/** A copy told in lines, for where there is no terminal: at its start, now and then when it went on, at its end. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { formatBytes, formatRate, formatShare } from '../../output/bytes.ts';
import { formatDuration } from '../../output/duration.ts';
import { printable } from '../../output/printable.ts';
import { etaOf, imageCount, labelOf, percentOf } from './describe.ts';

/** Milliseconds between two lines about the same copy. */
const PAUSE = 5000;

export class LogLines {
  #last: string | undefined;
  #lastAt = 0;

  /** The lines to write for a status that came at `now` (milliseconds). */
  next(status: CopyStatus, now: number): string[] {
    const text = logLine(status);
    if (this.#last === undefined) {
      this.#remember(text, now);
      return [beginning(status), ...(isFinal(status.state) ? [text] : [])];
    }
    const isDue = now - this.#lastAt >= PAUSE || isFinal(status.state);
    if (text === this.#last || !isDue) return [];
    this.#remember(text, now);
    return [text];
  }

  #remember(text: string, now: number): void {
    this.#last = text;
    this.#lastAt = now;
  }
}

export function beginning(status: CopyStatus): string {
  const { datacenter, images, bytes_done: done, bytes_total: total } = status;
  const here = done > 0 ? `, ${percentOf(status)}% here already` : '';
  return `copy from ${printable(datacenter)}: ${imageCount(images.length)}, ${formatBytes(total)}${here}`;
}

function logLine(status: CopyStatus): string {
  const { state, rate, bytes_done: done, bytes_total: total } = status;
  if (isFinal(state)) return `${state}: ${formatShare(done, total)}`;
  const eta = etaOf(status);
  const parts = [
    `${percentOf(status)}%`,
    formatShare(done, total),
    ...(rate > 0 ? [formatRate(rate)] : [state === 'queued' ? 'waiting' : 'no bytes coming']),
    ...(eta === undefined ? [] : [`${formatDuration(eta)} left`]),
    ...trouble(status),
  ];
  return parts.join(', ');
}

function trouble({ images }: CopyStatus): string[] {
  const [image] = images.filter(({ error, state }) => error !== undefined && !isFinal(state));
  return image?.error
    ? [`${labelOf(image)} is being tried again: ${printable(`(${image.error.code}) ${image.error.message}`)}`]
    : [];
}
