/**
 * The engines that tests run on. A line such as
 *
 *   documentEngines.withNpm.each((engine) => storeConformance(engine.name, engine.make));
 *
 * runs a suite on all engines that need npm packages alone; `withPackages` are those that need Debian packages, for
 * tests below test/needs-packages. `ENGINE=NAME` in the environment limits a run to the engines whose names contain it.
 */
import { test } from 'tap';

export interface Engine {
  readonly name: string;
  /** Why it cannot run here; its suites are then skipped by name. Where every engine must be here, a skip is a failure. */
  readonly absent?: () => string | undefined;
}

export interface Group<E extends Engine> {
  each(declare: (engine: E) => void): void;
}

export interface Engines<E extends Engine> {
  readonly withNpm: Group<E>;
  readonly withPackages: Group<E>;
}

export function engines<E extends Engine>(withNpm: readonly E[], withPackages: readonly E[]): Engines<E> {
  return { withNpm: group(withNpm), withPackages: group(withPackages) };
}

function group<E extends Engine>(members: readonly E[]): Group<E> {
  const only = process.env['ENGINE'] ?? '';
  return {
    each(declare) {
      for (const engine of members.filter(({ name }) => name.includes(only))) {
        const reason = engine.absent?.();
        if (reason === undefined) declare(engine);
        else test(engine.name, { skip: `${engine.name}: ${reason}` }, async () => undefined);
      }
    },
  };
}
