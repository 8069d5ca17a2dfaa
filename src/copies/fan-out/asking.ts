/** Asks the datacenters of a fan-out side by side. */
import { pause } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { askTarget } from './ask.ts';
import { nextCall } from './decide.ts';
import type { FanOutRecord, Target } from './model.ts';

/** For how long answers are waited for, before those that came are written down. */
const STEP_MS = 500;

/** The calls of one fan-out that are under way, one for each datacenter at a time. */
export class Asking {
  readonly #service: Service;
  readonly #signal: AbortSignal;
  readonly #calls = new Map<string, Promise<void>>();
  readonly #answers = new Map<Target, Target | undefined>();

  constructor(service: Service, signal: AbortSignal) {
    this.#service = service;
    this.#signal = signal;
  }

  /** What was answered since, after a moment in which calls may end. @param now for which calls it is time */
  async answers(fanOut: FanOutRecord, now: number): Promise<ReadonlyMap<Target, Target | undefined>> {
    for (const target of fanOut.targets) this.#begin(fanOut, target, now);
    await Promise.race([Promise.all(this.#calls.values()), pause(STEP_MS, this.#signal)]);
    const answers = new Map(this.#answers);
    this.#answers.clear();
    return answers;
  }

  /** Whether a call to it is under way, or has ended with an answer that nobody has taken yet. */
  isAsking(datacenter: string): boolean {
    return this.#calls.has(datacenter) || [...this.#answers.keys()].some((target) => target.datacenter === datacenter);
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#calls.values());
  }

  #begin(fanOut: FanOutRecord, target: Target, now: number): void {
    const { datacenter } = target;
    if (this.isAsking(datacenter) || now < target.not_before || !nextCall(fanOut, target)) return;
    const call = askTarget(this.#service, fanOut, target, this.#signal)
      .then((answer) => void this.#answers.set(target, answer))
      .finally(() => this.#calls.delete(datacenter));
    // It is waited for in turns, and may fail between two of them.
    call.catch(() => undefined);
    this.#calls.set(datacenter, call);
  }
}
