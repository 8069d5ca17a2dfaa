/** Names under which statements stay prepared on connections. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Statements to remember; what is asked once is not worth a place in the server's memory. */
const REMEMBERED = 1000;
const USES_BEFORE = 2;
/** How to find a part of a text depends on the text: a plan for all texts reads the whole table for a rare one. */
const PLANNED_EACH_TIME = / like \$\d/;

interface Known {
  readonly name: string;
  uses: number;
}

export class Names {
  readonly #bySql = new LRUCache<string, Known>({ max: REMEMBERED });
  isOn: boolean;

  constructor(isOn: boolean) {
    this.isOn = isOn;
  }

  /**
   * The name depends on the text alone: should a pooler bring connections of several processes together, a name still
   * means the same statement.
   */
  of(sql: string): string | undefined {
    if (!this.isOn || PLANNED_EACH_TIME.test(sql)) return undefined;
    let known = this.#bySql.get(sql);
    if (known === undefined) {
      known = { name: createHash('sha256').update(sql).digest('base64url'), uses: 0 };
      this.#bySql.set(sql, known);
    }
    known.uses += 1;
    return known.uses > USES_BEFORE ? known.name : undefined;
  }
}
