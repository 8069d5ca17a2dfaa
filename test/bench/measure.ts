/** What a benchmark answers, and how repeated runs become one figure. */

import { WARMUPS } from './extent.ts';

/** One run of one side. */
export interface Sample {
  readonly value: number;
  /** Something else that was measured on the way; shown beside, and not judged. */
  readonly aside?: number;
}

export interface Figure {
  readonly name: string;
  /** What it is compared with, in the same run. */
  readonly against: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** ours / theirs, the median over the pairs of runs. */
  readonly ratio: number;
  /** Absent: only told. */
  readonly target?: number;
  readonly kind: Kind;
  readonly runs: number;
  readonly aside?: { readonly unit: string; readonly ours: number; readonly theirs: number };
}

/** The target is the least ratio, the greatest ratio (of costs), or the greatest figure. */
export type Kind = 'ratio' | 'cost' | 'limit';

/** What is not here: the figure is left out, by name. */
export interface Skipped {
  readonly name: string;
  readonly skipped: string;
}

/** Of a suite, each as soon as it is known. */
export type Results = AsyncGenerator<Figure | Skipped, void>;

/** What a suite is given. */
export interface Plan {
  /** For whatever it keeps; other suites have the same one. */
  readonly directory: string;
  /** How often each side is measured. */
  readonly runs: number;
  /** Folder for CPU profiles. The figures of such a run do not count. */
  readonly profile?: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export interface Comparison extends Pick<Figure, 'name' | 'unit'> {
  readonly kind?: Kind;
  /** Unit of what is measured on the way. */
  readonly asideUnit?: string;
  readonly runs: number;
  /** Runs of each before those that count. Default {@link WARMUPS}. */
  readonly warmups?: number;
  /** They do not take turns: it takes half the time, and only what needs little of the processors, or that itself, can be compared. */
  readonly isAtOnce?: boolean;
}

type Side = () => Promise<Sample>;

/** Runs a side that is short once before it counts, where {@link WARMUPS} are none: cold, it would say nothing. */
export async function warm(side: Side): Promise<void> {
  if (WARMUPS === 0) await side();
}

/** What it is compared with. */
export interface Reference extends Pick<Figure, 'against' | 'target'> {
  readonly side: Side;
}

export async function compare(
  { against, target, ...comparison }: Comparison & Pick<Figure, 'against' | 'target'>,
  ours: Side,
  side: Side,
): Promise<Figure> {
  const reference = { against, side, ...(target !== undefined && { target }) };
  const [figure] = await compareWithAll(comparison, ours, [reference]);
  if (!figure) throw new Error('there is a figure for each reference');
  return figure;
}

/** All take turns, so that a machine whose speed drifts is slow for each. */
export async function compareWithAll(
  { kind = 'ratio', asideUnit, runs, warmups = WARMUPS, isAtOnce = false, ...shown }: Comparison,
  ours: Side,
  references: readonly Reference[],
): Promise<Figure[]> {
  const rounds: { readonly mine: Sample; readonly others: readonly Sample[] }[] = [];
  for (let run = -warmups; run < runs; run++) {
    const others: Promise<Sample>[] = [];
    for (const { side } of references) {
      const other = side();
      others.push(other);
      if (!isAtOnce) await other;
    }
    const [mine, ...theirs] = await Promise.all([ours(), ...others]);
    if (run >= 0) rounds.push({ mine, others: theirs });
  }
  return references.map(({ against, target }, at): Figure => {
    const middle = (pick: (mine: Sample, other: Sample) => number | undefined): number =>
      median(rounds.map(({ mine, others }) => pick(mine, others[at] ?? mine) ?? Number.NaN));
    const aside = asideUnit && {
      unit: asideUnit,
      ours: middle((mine) => mine.aside),
      theirs: middle((_, other) => other.aside),
    };
    return {
      ...shown,
      against,
      ours: middle((mine) => mine.value),
      theirs: middle((_, other) => other.value),
      ratio: middle((mine, other) => mine.value / other.value),
      kind,
      runs,
      ...(target !== undefined && { target }),
      ...(aside && { aside }),
    };
  });
}

export function isMet({ kind, ratio, ours, target }: Figure): boolean {
  if (target === undefined) return true;
  if (kind === 'ratio') return ratio >= target;
  return (kind === 'cost' ? ratio : ours) <= target;
}
