/** A connection that one call has to itself for a while. */
import type { PoolClient, QueryArrayConfig } from 'pg';
import { startTimer } from '../../runtime/timers.ts';
import { type Program, type Row, Statement, type Step } from '../sql/program.ts';
import { cancel } from './cancel.ts';
import { ConnectionLostError, connectionError, remedyFor } from './failure.ts';
import type { Names } from './names.ts';

/** Statements that are sent together at most: each group has a deadline of its own. */
const GROUP = 256;
/** Milliseconds in which a canceled statement has to end, or its connection is given up. */
const CANCEL_MS = 2000;
const NOW = new Statement('select extract(epoch from clock_timestamp())::float8 * 1000', 'rows');
const ROLLBACK: Step = { statement: new Statement('rollback', 'nothing'), values: [] };

export class Session {
  readonly client: PoolClient;
  readonly #names: Names;
  readonly #statementMs: number;
  /** Statements that nobody waits for any more. */
  #abandoned: Promise<unknown> | undefined;
  #isLost = false;

  constructor(client: PoolClient, names: Names, statementMs: number) {
    this.client = client;
    this.#names = names;
    this.#statementMs = statementMs;
  }

  /** Whether a transaction is open, be it a failed one. */
  get isInTransaction(): boolean {
    return this.client.getTransactionStatus() !== 'I';
  }

  /** How many statements stay prepared on the connection. */
  get preparedStatements(): number {
    // The client keeps account of them for itself; its types do not know.
    const { parsedStatements } = this.client.connection as unknown as { parsedStatements: object };
    return Object.keys(parsedStatements).length;
  }

  /**
   * Runs statements in order; those of a group take one round trip together. An abort ends them at the server.
   * @throws DatabaseError the first one's, ConnectionLostError, the reason of the signal
   */
  async run(steps: readonly Step[], signal?: AbortSignal): Promise<(readonly Row[])[]> {
    const answers: (readonly Row[])[] = [];
    for (let at = 0; at < steps.length; at += GROUP) {
      signal?.throwIfAborted();
      answers.push(...(await this.#runGroup(steps.slice(at, at + GROUP), signal)));
    }
    return answers;
  }

  async runProgram<T>(program: Program<T>): Promise<T> {
    let turn = program.next();
    while (turn.done !== true) {
      let rows: (readonly Row[])[];
      try {
        rows = await this.run(turn.value);
      } catch (error) {
        turn = program.throw(error);
        continue;
      }
      turn = program.next(rows);
    }
    return turn.value;
  }

  /** Makes the connection fit for the next call. Resolves to false if it has to be closed; never rejects. */
  async settle(): Promise<boolean> {
    if (this.#abandoned !== undefined) await this.#endAbandoned(this.#abandoned);
    if (!this.#isLost && this.isInTransaction) await this.#rollback();
    return !this.#isLost;
  }

  /** Closes the connection at once, whatever is under way. */
  destroy(): void {
    this.#isLost = true;
    this.client.connection.stream.destroy();
  }

  #runGroup(steps: readonly Step[], signal: AbortSignal | undefined): Promise<(readonly Row[])[]> {
    const answered = Promise.allSettled(steps.map((step) => this.client.query(this.#queryOf(step))));
    return new Promise((resolve, reject) => {
      const timer = startTimer(() => {
        reject(new ConnectionLostError(`the document store did not answer within ${this.#statementMs} ms`));
        // Should the server be alive after all, it has no use for the answer either.
        void cancel(this.client, CANCEL_MS);
        this.destroy();
      }, this.#statementMs);
      const onAbort = (): void => {
        this.#abandoned = answered;
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      void answered.then((results) => {
        timer.stop();
        signal?.removeEventListener('abort', onAbort);
        const failed = results.find((result) => result.status === 'rejected');
        if (failed !== undefined) reject(this.#failure(failed.reason));
        else resolve(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.rows] : [])));
      });
    });
  }

  #queryOf({ statement, values }: Step): QueryArrayConfig {
    const name = values.length === 0 ? undefined : this.#names.of(statement.sql);
    return { text: statement.sql, values: [...values], rowMode: 'array', ...(name !== undefined && { name }) };
  }

  #failure(reason: unknown): unknown {
    const error = connectionError(reason);
    if (remedyFor(error) === 'reconnect') this.#isLost = true;
    return error;
  }

  /** Only a connection on which nothing is under way may be given to others. */
  async #endAbandoned(abandoned: Promise<unknown>): Promise<void> {
    await cancel(this.client, CANCEL_MS);
    const timer = startTimer(() => this.destroy(), CANCEL_MS);
    await abandoned;
    timer.stop();
  }

  async #rollback(): Promise<void> {
    await this.#runGroup([ROLLBACK], undefined).catch(() => this.destroy());
  }
}

/** Milliseconds since the epoch by the clock of the database. */
export async function databaseTime(session: Session): Promise<number> {
  const [[row] = []] = await session.run([{ statement: NOW, values: [] }]);
  return row?.[0] as number;
}
