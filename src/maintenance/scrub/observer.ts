/** Who is told what the passes over all files find. */

export interface ScrubObserver {
  file(result: 'good' | 'bad' | 'skipped', bytes: number): void;
  repair(result: 'repaired' | 'failed'): void;
}

export const unobserved: ScrubObserver = { file: () => undefined, repair: () => undefined };
