/** The stores that do not answer while many files are read: what lies in them is passed over, and each is told once. */
import { promptIdentity } from '../service/answering-storages.ts';
import type { Service } from '../service/service.ts';

/** Milliseconds for which a store that does not answer is not asked again: there may be a million files in it. */
const ASK_AGAIN_MS = 10_000;

interface Down {
  readonly problem: string;
  readonly asked: number;
  isTold: boolean;
}

export class StoresDown {
  readonly #service: Pick<Service, 'storages'>;
  readonly #down = new Map<string, Down>();

  constructor(service: Pick<Service, 'storages'>) {
    this.#service = service;
  }

  /** Whether it did not answer when it was last asked. One that may be back is asked. */
  async isKnown(store: string): Promise<boolean> {
    const known = this.#down.get(store);
    if (known === undefined) return this.#service.storages.find(store) === undefined && this.ask(store);
    return performance.now() - known.asked < ASK_AGAIN_MS || this.ask(store);
  }

  /** Asks a store of which something could not be read. @returns whether it is down */
  async ask(store: string): Promise<boolean> {
    const problem = await this.#problemOf(store);
    if (problem === undefined) this.#down.delete(store);
    else this.#down.set(store, { problem, asked: performance.now(), isTold: this.#down.get(store)?.isTold ?? false });
    return problem !== undefined;
  }

  /** What is wrong with a store that is down, for the first who asks. */
  toTell(store: string): string | undefined {
    const known = this.#down.get(store);
    if (known === undefined || known.isTold) return undefined;
    known.isTold = true;
    return known.problem;
  }

  async #problemOf(name: string): Promise<string | undefined> {
    const storage = this.#service.storages.find(name);
    if (!storage) return `the object store "${name}" is not configured here`;
    return promptIdentity(storage).then(
      () => undefined,
      ({ message }: Error) => message,
    );
  }
}
