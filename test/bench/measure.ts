/** What a benchmark answers, and how repeated runs become one figure. */

export interface Figure {
  readonly name: string;
  /** What it is compared with, in the same run. */
  readonly against: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** ours / theirs, the median over the pairs of runs. */
  readonly ratio: number;
  /** The ratio that is wanted at least, or with `limit` the figure that is allowed at most. */
  readonly target: number;
  readonly kind: 'ratio' | 'limit';
  readonly runs: number;
}

/** An engine that is not here: the figure is left out, by name. */
export interface Skipped {
  readonly name: string;
  readonly skipped: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export const RUNS = Number(process.env['BENCH_RUNS'] ?? 5);

/** The two take turns, so that a machine whose speed drifts is slow for both. */
export async function compare(
  figure: Pick<Figure, 'name' | 'against' | 'unit' | 'target'>,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Figure> {
  // A first run of each warms caches and compilers, and does not count.
  await theirs();
  await ours();
  const pairs: [number, number][] = [];
  for (let run = 0; run < RUNS; run++) {
    const reference = await theirs();
    pairs.push([await ours(), reference]);
  }
  return {
    ...figure,
    ours: median(pairs.map(([mine]) => mine)),
    theirs: median(pairs.map(([, reference]) => reference)),
    ratio: median(pairs.map(([mine, reference]) => mine / reference)),
    kind: 'ratio',
    runs: RUNS,
  };
}

export function isMet({ kind, ratio, ours, target }: Figure): boolean {
  return kind === 'ratio' ? ratio >= target : ours <= target;
}
