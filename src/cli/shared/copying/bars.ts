/** A copy as bars, one line an image: a pure function of its status and the size of the terminal. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyImageStatus, CopyStatus } from '#lib/api/schemas/copy.ts';
import { formatRate, formatShare } from '../../output/bytes.ts';
import { formatDuration } from '../../output/duration.ts';
import type { TerminalSize } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { padEnd, textWidth, truncate } from '../../output/text-width.ts';
import { type CopyPart, etaOf, labelOf, percentOf } from './describe.ts';

const LONGEST_LABEL = 36;
const BAR = { least: 10, most: 30 } as const;
/** Room that the words after the bar take, most of the time. */
const WORDS = 46;

/** Lines that are narrower and fewer than the terminal. */
export function progressBars(status: CopyStatus, { columns, rows }: TerminalSize): string[] {
  const { images } = status;
  const labels = images.map(labelOf);
  const line = barLine(labels, columns);
  const total = images.length > 1 ? [line('all', status)] : [];
  const lines = images.map((image, i) => ({ image, text: line(labels[i] ?? '', image) }));
  return [...fitting(lines, rows - 2 - total.length), ...total];
}

/** Makes lines of equal widths: a label, then the bar and words of a part, or just words. */
export function barLine(
  labels: readonly string[],
  columns: number,
): (label: string, part: CopyPart | string) => string {
  const labelWidth = Math.min(LONGEST_LABEL, Math.max(5, ...labels.map(textWidth)));
  const barWidth = Math.min(BAR.most, columns - labelWidth - WORDS);
  return (label, part) => {
    const words = typeof part === 'string' ? `  ${part}` : barAndWords(part, barWidth);
    return truncate(`${padEnd(truncate(label, labelWidth), labelWidth)}${words}`, columns - 1);
  };
}

function barAndWords(part: CopyPart, width: number): string {
  const bar = width < BAR.least ? '' : `  ${barOf(part, width)}`;
  return `${bar}  ${`${percentOf(part)}%`.padStart(4)}  ${wordsFor(part)}`;
}

/** With less room than images, those that are done give way first. */
function fitting(lines: readonly { readonly image: CopyImageStatus; readonly text: string }[], room: number): string[] {
  if (lines.length <= room) return lines.map(({ text }) => text);
  const shown = new Set(
    [...lines].sort((one, other) => rank(one.image) - rank(other.image)).slice(0, Math.max(0, room - 1)),
  );
  const hidden = lines.length - shown.size;
  return [...lines.filter((line) => shown.has(line)).map(({ text }) => text), `and ${hidden} more`];
}

function rank({ state }: CopyImageStatus): number {
  return ['running', 'failed', 'queued', 'received', 'canceled', 'succeeded'].indexOf(state);
}

function barOf(part: CopyPart, width: number): string {
  const inside = width - 2;
  const filled = Math.floor((percentOf(part) / 100) * inside);
  const head = filled > 0 && filled < inside && !isFinal(part.state) ? '>' : '';
  return `[${`${'='.repeat(filled - head.length)}${head}`.padEnd(inside)}]`;
}

function wordsFor(part: CopyPart): string {
  const share = part.bytes_total > 0 ? formatShare(part.bytes_done, part.bytes_total) : '';
  return [share, stateWords(part)].filter((text) => text !== '').join('  ');
}

function stateWords(part: CopyPart): string {
  const { state, error, rate } = part;
  const trouble = error === undefined ? '' : printable(`(${error.code}) ${error.message}`);
  switch (state) {
    case 'queued':
      return trouble === '' ? 'waiting' : `trying again: ${trouble}`;
    case 'running':
      if (rate > 0) return [formatRate(rate), leftOf(part)].filter((text) => text !== '').join('  ');
      return trouble === '' ? 'no bytes yet' : `trying again: ${trouble}`;
    case 'received':
      return 'complete, not usable yet';
    case 'succeeded':
      return 'usable';
    case 'failed':
      return `failed ${trouble}`.trimEnd();
    case 'canceled':
      return 'canceled';
  }
}

function leftOf(part: CopyPart): string {
  const eta = etaOf(part);
  return eta === undefined ? '' : `${formatDuration(eta)} left`;
}
