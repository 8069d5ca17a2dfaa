/** How a copy ended, told once. */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { CommandError } from '../../framework/errors.ts';
import { formatBytes } from '../../output/bytes.ts';
import { formatDuration, secondsBetween } from '../../output/duration.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { type Column, formatTable } from '../../output/table.ts';
import { askedImage, imageCount, labelOf } from './describe.ts';

export type FieldChanges = NonNullable<CopyStatus['changes']>;

/** @throws CommandError with the order's own code and message when it did not succeed */
export function assertSucceeded(status: CopyStatus): void {
  const { state, error, order, images } = status;
  if (state === 'succeeded') return;
  if (state === 'canceled' && error === undefined) {
    throw new CommandError(`the copy was canceled (order ${order})`, { code: 'CopyCanceled' });
  }
  const failed = images.flatMap((image) =>
    image.error ? [`${labelOf(image)}: ${image.error.code}: ${image.error.message}`] : [],
  );
  throw new CommandError(error?.message ?? `the copy ended ${state} (order ${order})`, {
    code: error?.code ?? 'CopyFailed',
    details: failed,
  });
}

export function reportCopied(output: Output, status: CopyStatus): void {
  output.line(copiedLine(status));
  reportChanges(output, status.changes ?? []);
}

export function copiedLine(status: CopyStatus): string {
  const { datacenter, images, bytes_total: total, changes } = status;
  const label = labelWords(status);
  if (changes !== undefined) {
    return `Image ${label} is here already. ${changedWords(changes, 'refreshed')} from ${printable(datacenter)}.`;
  }
  const seconds = secondsBetween(status.started_at ?? status.created_at, status.finished_at);
  const took = seconds === undefined ? '' : ` in ${formatDuration(seconds)}`;
  const chain = images.length > 1 ? ` (${imageCount(images.length)})` : '';
  return `Image ${label}${chain} copied from ${printable(datacenter)}: ${formatBytes(total)}${took}.`;
}

/** @param say where the lines go, if not to the results */
export function reportChanges(
  output: Output,
  changes: FieldChanges,
  say: (line: string) => void = (line) => output.line(line),
): void {
  if (changes.length === 0) return;
  const columns: Column<FieldChanges[number]>[] = [
    { title: 'FIELD', value: ({ field }) => field },
    { title: 'FROM', value: ({ from }) => valueText(from), shrinks: true },
    { title: 'TO', value: ({ to }) => valueText(to), shrinks: true },
  ];
  for (const line of formatTable(columns, changes, { width: output.width })) say(line);
}

/** `2 fields refreshed` */
export function changedWords(changes: FieldChanges, verb: string): string {
  if (changes.length === 0) return `Nothing ${verb}`;
  return changes.length === 1 ? `1 field ${verb}` : `${changes.length} fields ${verb}`;
}

function labelWords(status: CopyStatus): string {
  const image = askedImage(status);
  return image ? labelOf(image) : status.image_uuid;
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
