/**
 * How much is measured. `QUICK=1` is enough to see that the bench works and what is grossly slower, in two minutes; each of
 * the others says how much of one thing.
 */

export const QUICK = process.env['QUICK'] === '1';

/** How often each side is measured; undefined: as often as its engine's suites want. */
export const RUNS = number('BENCH_RUNS') ?? (QUICK ? 1 : undefined);

/** Runs of each side before those that count, which warm caches and compilers. */
export const WARMUPS = QUICK ? 0 : 1;

/** How long a load lasts. */
export const SECONDS = number('BENCH_SECONDS') ?? (QUICK ? 0.4 : 3);

/** The size of files. */
export const MEBIBYTES = number('BENCH_MIB') ?? (QUICK ? 64 : 1024);

/** Few images: one such load has asked for most of them. */
export const FEW = QUICK ? 1000 : 10_000;

/** Many images. */
export const MANY = number('BENCH_IMAGES') ?? (QUICK ? 20_000 : 1_000_000);

/** How long memory is watched. */
export const MIX_SECONDS = number('BENCH_MIX_SECONDS') ?? (QUICK ? 3 : 240);

function number(name: string): number | undefined {
  const given = process.env[name];
  return given === undefined ? undefined : Number(given);
}
