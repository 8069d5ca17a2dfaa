/** The table that is printed: a line for each figure, as soon as it is known. */
import { type Figure, isMet, type Skipped } from './measure.ts';

const WIDTHS = [50, 20, 46, 6, 8, 7, 0];

export const HEAD = row(['', 'ours', 'beside it', 'ratio', 'target', '', 'and on the way']);

export function lineOf(figure: Figure | Skipped): string {
  if ('skipped' in figure) return row([figure.name, '', '', '', '', `skipped: ${figure.skipped}`]);
  const { name, ours, theirs, unit, against, ratio, aside } = figure;
  const isCompared = !Number.isNaN(ratio) && against !== '';
  return row([
    name,
    `${number(ours)} ${unit}`,
    isCompared ? `${number(theirs)} (${against})` : '',
    isCompared ? ratio.toFixed(2) : '',
    targetOf(figure),
    figure.target === undefined ? '' : isMet(figure) ? 'met' : 'MISSED',
    aside ? `${number(aside.ours)} and ${number(aside.theirs)} ${aside.unit}` : '',
  ]);
}

function targetOf({ kind, target }: Figure): string {
  if (target === undefined) return '';
  return kind === 'ratio' ? `>= ${target}` : `<= ${Number(target.toFixed(1))}`;
}

/** Three digits at least. */
function number(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd();
}
