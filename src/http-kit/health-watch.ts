/**
 * One part of what `/healthz` tells. It is asked at most once a second, by one question at a time; and who asks is answered
 * soon by what was known a moment ago, while the part takes its time.
 */
import type { Health } from '#lib/api/schemas/service.ts';
import { Joined } from '#lib/runtime/joined.ts';
import { within } from '#lib/runtime/within.ts';

export type PartHealth = Health['checks'][string];

export interface HealthCheck {
  readonly name: string;
  /** Whether the process can do most of its work all the same: it is then no reason to send requests elsewhere. */
  readonly isDispensable?: boolean;
  /** Rejects if the part cannot be used; the message says why. May resolve to details. */
  run(): Promise<object | undefined>;
}

/** A part that needs longer is down (ms). */
const LIMIT_MS = 2000;
/** Who asks is answered after so long, if anything is known. */
const PROMPT_MS = 800;
const GOOD_FOR_MS = 1000;
/** How old that may be. */
const KNOWN_FOR_MS = 10_000;

export class HealthWatch {
  readonly #check: HealthCheck;
  readonly #asked: Joined<PartHealth>;
  #last: { readonly at: number; readonly health: PartHealth } | undefined;

  constructor(check: HealthCheck) {
    this.#check = check;
    this.#asked = new Joined(() => this.#ask());
  }

  async health(): Promise<PartHealth> {
    const now = performance.now();
    const known = this.#knownFor(KNOWN_FOR_MS, now);
    if (known && this.#knownFor(GOOD_FOR_MS, now)) return known;
    const { since, promise } = this.#asked.run(now);
    const left = Math.max(since + LIMIT_MS - now, 0);
    const isSilent = left <= PROMPT_MS;
    return known
      ? within(Math.min(left, PROMPT_MS), promise, () => (isSilent ? this.#silent() : known))
      : within(left, promise, () => this.#silent());
  }

  #knownFor(milliseconds: number, now: number): PartHealth | undefined {
    return this.#last && now - this.#last.at <= milliseconds ? this.#last.health : undefined;
  }

  async #ask(): Promise<PartHealth> {
    const begin = performance.now();
    let health: PartHealth;
    try {
      const details = await this.#check.run();
      const ms = Math.round(performance.now() - begin);
      health = ms > LIMIT_MS ? { ok: false, ms, error: `it took ${ms} ms to answer` } : { ok: true, ms, ...details };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      health = { ok: false, ms: Math.round(performance.now() - begin), error: message };
    }
    return this.#keep(health);
  }

  #silent(): PartHealth {
    return this.#keep({ ok: false, ms: LIMIT_MS, error: `no answer within ${LIMIT_MS} ms` });
  }

  #keep(health: PartHealth): PartHealth {
    this.#last = { at: performance.now(), health };
    return health;
  }
}
