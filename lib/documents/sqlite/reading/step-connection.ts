import { Connection } from '../connection.ts';
import type { AnswerOf, Job } from './protocol.ts';
import { Steps } from './steps.ts';

/** Characters of SQL to prepare before the connection is reopened, which frees everything that was prepared on it. */
const CONNECTION_CHARACTERS = 1024 * 1024;
/** Kibibytes of cached pages; the rest is in the system's cache. */
const PAGE_CACHE = 8192;

/** A read-only connection, opened when needed. */
export class StepConnection {
  readonly #path: string;
  readonly #isWanted: () => boolean;
  #open: { readonly connection: Connection; readonly steps: Steps } | undefined;

  /** @param isWanted called for each row that is looked at; `false` ends the step with an error */
  constructor(path: string, isWanted: () => boolean) {
    this.#path = path;
    this.#isWanted = isWanted;
  }

  run(job: Job): AnswerOf[keyof AnswerOf] {
    if (this.#open !== undefined && this.#open.steps.preparedCharacters > CONNECTION_CHARACTERS) {
      this.close();
    }
    if (this.#open === undefined) {
      const isWanted = this.#isWanted;
      const connection = new Connection(this.#path, { pageCache: PAGE_CACHE, isReader: true, isWanted });
      this.#open = { connection, steps: new Steps(connection) };
    }
    return this.#open.steps.run(job);
  }

  close(): void {
    this.#open?.connection.close();
    this.#open = undefined;
  }
}
