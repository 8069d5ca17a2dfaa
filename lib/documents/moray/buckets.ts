/** The buckets that were opened. */
import type { Bucket } from '../store.ts';
import { Layout } from './layout.ts';
import type { Upgrades } from './upgrades.ts';

export class MorayBuckets {
  readonly #upgrades: Upgrades;
  readonly #layouts = new Map<string, Layout>();

  constructor(upgrades: Upgrades) {
    this.#upgrades = upgrades;
  }

  async open(buckets: readonly Bucket[]): Promise<void> {
    const layouts = buckets.map((bucket) => new Layout(bucket));
    await Promise.all(layouts.map((layout) => this.#upgrades.bringUp(layout)));
    for (const layout of layouts) {
      const known = this.#layouts.get(layout.name)?.declaration.version ?? 0;
      if (layout.declaration.version >= known) this.#layouts.set(layout.name, layout);
    }
  }

  /** @throws TypeError if the bucket was not opened */
  layout(bucket: string): Layout {
    const layout = this.#layouts.get(bucket);
    if (layout === undefined) throw new TypeError(`the bucket "${bucket}" was not opened`);
    return layout;
  }
}
