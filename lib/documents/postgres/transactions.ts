/**
 * Transactions, and what became of one whose COMMIT was sent and never answered.
 *
 * Each transaction leaves a mark in a row that it alone holds: the number of the batch. Whoever locks that row afterwards
 * has waited for the end of the transaction, and finds the mark if and only if all of it was written. (The server's own
 * answer, `txid_status`, does not do: a server that crashed gives the numbers of lost transactions to others.)
 */
import { randomBytes } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { pause } from '../../runtime/timers.ts';
import { StoreUnavailableError } from '../errors.ts';
import { parameter, type SqlDialect } from '../sql/dialect.ts';
import { once, type Program, Statement, type Step } from '../sql/program.ts';
import type { Connections } from './connections.ts';
import { remedyFor } from './failure.ts';
import type { Session } from './session.ts';

const TABLE = 'batches';
/** Days after which the marks of processes that are gone are removed. */
const KEPT = '7 days';
const FATE_PAUSE_MS = 100;

// Row locks do the rest: each batch locks what it reads before it writes.
const BEGIN = new Statement('begin isolation level read committed read write', 'nothing');
/** Should this process vanish without a word, its locks must not stay. The settings end with the transaction. */
const GUARD = new Statement(
  `select pg_backend_pid(), now()::text, set_config('statement_timeout', $1, true),
     set_config('idle_in_transaction_session_timeout', $1, true)`,
  'rows',
);
/** Where {@link GUARD} is in the first group. */
const GUARD_AT = 1;
export const COMMIT: Step = { statement: new Statement('commit', 'nothing'), values: [] };
/** A transaction that this process has lost would only end by itself after a while. */
const END = new Statement(
  `select pg_terminate_backend(pid) from pg_stat_activity
     where pid = $1 and xact_start = $2::timestamptz and usename = current_user`,
  'rows',
);

/** A transaction that does nothing, which begins as all do: a server that cannot be written to refuses it. */
export const PROBE: readonly Step[] = [
  { statement: BEGIN, values: [] },
  { statement: new Statement('rollback', 'nothing'), values: [] },
];

/** The steps with which a transaction begins that ends by itself if this process vanishes. */
export function begin(statementMs: number): Step[] {
  return [
    { statement: BEGIN, values: [] },
    { statement: GUARD, values: [String(statementMs)] },
  ];
}

/** Makes the table of marks, and removes old ones. */
export function marksTable(dialect: SqlDialect): Step[] {
  const { text, integer, table } = dialect.types;
  const columns = `slot ${text} primary key, batch ${integer} not null, at timestamptz not null`;
  const marks = dialect.table(TABLE);
  return [
    once(dialect, sql`create table if not exists ${marks} (${sql.raw(columns)})${sql.raw(table)}`),
    once(dialect, sql`delete from ${marks} where at < now() - ${sql.lit(KEPT)}::interval`),
  ];
}

/** A row for marks, which one transaction at a time uses. */
interface Slot {
  readonly name: string;
  batch: number;
}

/** A transaction as it goes on. */
interface Course {
  /** What {@link GUARD} said, once it did. */
  guard: readonly unknown[] | undefined;
  isCommitting: boolean;
}

export interface Framing {
  readonly begin: readonly Step[];
  readonly commit: readonly Step[];
}

/** Whether the batch was written cannot be found out, so it must not be repeated. */
class UnknownFateError extends StoreUnavailableError {}

export class Transactions {
  readonly #connections: Connections;
  readonly #statementMs: number;
  readonly #patienceMs: number;
  readonly #mark: Statement;
  readonly #markOf: Statement;
  /** Of this process, unless another one guesses 72 bits. */
  readonly #name = randomBytes(9).toString('base64url');
  readonly #free: Slot[] = [];
  #slots = 0;

  /** @param patienceMs for which to try to find out what became of a transaction */
  constructor(connections: Connections, dialect: SqlDialect, statementMs: number, patienceMs: number) {
    this.#connections = connections;
    this.#statementMs = statementMs;
    this.#patienceMs = patienceMs;
    const compiled = (query: RawBuilder<unknown>) => dialect.compile(query).sql;
    const marks = dialect.table(TABLE);
    this.#mark = new Statement(
      compiled(sql`insert into ${marks} (slot, batch, at) values (${parameter}, ${parameter}, now())
        on conflict (slot) do update set batch = excluded.batch, at = excluded.at`),
      'nothing',
    );
    this.#markOf = new Statement(
      compiled(sql`select batch from ${marks} where slot = ${parameter} for update`),
      'rows',
    );
  }

  /**
   * Runs a program, whose first group starts with the steps that it is given for that, and whose last one ends so.
   * @throws ConnectionLostError, DatabaseError: nothing was written. UnknownFateError
   */
  async run<T>(programOf: (framing: Framing) => Program<T>): Promise<T> {
    const slot = this.#free.pop() ?? this.#newSlot();
    slot.batch += 1;
    const mark = { statement: this.#mark, values: [slot.name, slot.batch] };
    const program = programOf({ begin: [...begin(this.#statementMs), mark], commit: [COMMIT] });
    const course: Course = { guard: undefined, isCommitting: false };
    try {
      const result = await this.#connections.use((session) => follow(session, program, course));
      this.#free.push(slot);
      return result;
    } catch (error) {
      // The slot of a transaction that may still be under way is not used again.
      if (remedyFor(error) !== 'reconnect') this.#free.push(slot);
      else if (course.isCommitting && (await this.#wasWritten(slot, course, error))) return endOf(program);
      throw error;
    }
  }

  #newSlot(): Slot {
    this.#slots += 1;
    return { name: `${this.#name}.${this.#slots}`, batch: 0 };
  }

  /** @throws UnknownFateError */
  async #wasWritten({ name, batch }: Slot, { guard = [] }: Course, cause: unknown): Promise<boolean> {
    const [pid, since] = guard;
    const steps: Step[] = [
      { statement: END, values: [pid, since] },
      { statement: this.#markOf, values: [name] },
    ];
    for (const start = performance.now(); performance.now() - start < this.#patienceMs; await pause(FATE_PAUSE_MS)) {
      try {
        const [, [row] = []] = await this.#connections.use((session) => session.run(steps));
        return row?.[0] === batch;
      } catch (error) {
        const remedy = remedyFor(error);
        if (remedy === 'unprepare') this.#connections.unprepare();
        if (remedy === 'none' || remedy === 'refresh') break;
      }
    }
    throw new UnknownFateError('whether the document store has written the batch is not known', { cause });
  }
}

async function follow<T>(session: Session, program: Program<T>, course: Course): Promise<T> {
  let turn = program.next();
  while (turn.done !== true) {
    course.isCommitting = turn.value.at(-1) === COMMIT;
    const rows = await session.run(turn.value).catch((error: unknown) => {
      // The program names collisions. What it would say of a lost connection is not known yet.
      if (remedyFor(error) !== 'reconnect') program.throw(error);
      throw error;
    });
    course.guard ??= rows[GUARD_AT]?.[0];
    turn = program.next(rows);
  }
  return turn.value;
}

/** What a program returns whose last steps were carried out. */
function endOf<T>(program: Program<T>): T {
  const turn = program.next([]);
  if (turn.done !== true) throw new Error('a transaction went on after its end');
  return turn.value;
}
