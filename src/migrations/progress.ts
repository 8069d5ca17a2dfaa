import type { Migration } from '#lib/api/schemas/migration.ts';
import type { Service } from '../service/service.ts';
import { type MigrationOrder, noteMigration } from './orders.ts';

const EVERY_MS = 1000;

/** Notes how far a migration is, from time to time. */
export class Progress {
  readonly #service: Pick<Service, 'store' | 'log'>;
  readonly #order: MigrationOrder;
  #noted = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(service: Pick<Service, 'store' | 'log'>, order: MigrationOrder) {
    this.#service = service;
    this.#order = order;
  }

  note(change: Partial<Migration>): void {
    if (performance.now() - this.#noted < EVERY_MS) return;
    this.#noted = performance.now();
    this.#writing = this.#writing.then(() => this.now(change));
  }

  async now(change: Partial<Migration>): Promise<void> {
    const { store, log } = this.#service;
    await noteMigration(store, this.#order, change).catch((err: unknown) =>
      log.warn({ err }, 'the progress of a migration was not noted'),
    );
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}
