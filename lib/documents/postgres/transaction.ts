/** Transactions, and what became of one whose COMMIT was sent and never answered. */
import { pause } from '../../runtime/timers.ts';
import { StoreUnavailableError } from '../errors.ts';
import { type Program, Statement, type Step } from '../sql/program.ts';
import type { Connections } from './connections.ts';
import { remedyFor } from './failure.ts';
import type { Session } from './session.ts';

/** What is waited for is the end of a transaction that nobody serves any more, which takes the server moments. */
const FATE_ATTEMPTS = 40;
const FATE_PAUSE_MS = 250;

// Row locks do the rest: each batch locks what it read before it writes.
const BEGIN = new Statement('begin isolation level read committed read write', 'nothing');
/** Should this process vanish without a word, its locks must not stay. The settings end with the transaction. */
const GUARD = new Statement(
  `select txid_current(), set_config('statement_timeout', $1, true),
     set_config('idle_in_transaction_session_timeout', $1, true)`,
  'rows',
);
export const COMMIT: Step = { statement: new Statement('commit', 'nothing'), values: [] };

/** A transaction of the same client can only be one that it lost: the server is told to end it. */
const FATE = new Statement(
  `select txid_status($1), (select bool_or(pg_terminate_backend(pid)) from pg_stat_activity
     where backend_xid is not null and backend_xid::text = ($1 % 4294967296)::text and usename = current_user)`,
  'rows',
);

/** The steps with which a transaction begins; its number is the first value of the second one's row. */
export function begin(statementMs: number): Step[] {
  return [
    { statement: BEGIN, values: [] },
    { statement: GUARD, values: [String(statementMs)] },
  ];
}

/** A transaction as it goes on. */
interface Course<T> {
  readonly program: Program<T>;
  /** Its number at the server, once it has one. */
  xid: number | undefined;
  isCommitting: boolean;
}

/** Whether the batch was written cannot be found out, so it must not be repeated. */
class UnknownFateError extends StoreUnavailableError {}

/**
 * Runs a program whose first group starts with {@link begin}, and whose last one ends with {@link COMMIT}.
 * @throws ConnectionLostError, DatabaseError: nothing was written. UnknownFateError
 */
export async function runTransaction<T>(connections: Connections, program: Program<T>): Promise<T> {
  const course: Course<T> = { program, xid: undefined, isCommitting: false };
  try {
    return await connections.use((session) => follow(session, course));
  } catch (error) {
    if (!course.isCommitting || remedyFor(error) !== 'reconnect') throw error;
    const fate = await fateOf(connections, course.xid);
    if (fate === 'aborted') throw error;
    if (fate === 'unknown') {
      throw new UnknownFateError('whether the document store has written the batch is not known', { cause: error });
    }
    const turn = program.next([]);
    if (turn.done !== true) throw new Error('a transaction went on after its end');
    return turn.value;
  }
}

async function follow<T>(session: Session, course: Course<T>): Promise<T> {
  const { program } = course;
  let turn = program.next();
  while (turn.done !== true) {
    course.isCommitting = turn.value.at(-1) === COMMIT;
    const rows = await session.run(turn.value).catch((error: unknown) => {
      // The program names collisions. What it would say of a lost connection is not known yet.
      if (remedyFor(error) !== 'reconnect') program.throw(error);
      throw error;
    });
    course.xid ??= rows[1]?.[0]?.[0] as number | undefined;
    turn = program.next(rows);
  }
  return turn.value;
}

async function fateOf(connections: Connections, xid: number | undefined): Promise<'committed' | 'aborted' | 'unknown'> {
  for (let attempt = 0; xid !== undefined && attempt < FATE_ATTEMPTS; attempt++) {
    try {
      const [rows = []] = await connections.use((session) => session.run([{ statement: FATE, values: [xid] }]));
      const fate = rows[0]?.[0];
      if (fate === 'committed' || fate === 'aborted') return fate;
      if (fate !== 'in progress') return 'unknown';
    } catch (error) {
      const remedy = remedyFor(error);
      if (remedy === 'unprepare') connections.unprepare();
      if (remedy === 'none') return 'unknown';
    }
    await pause(FATE_PAUSE_MS);
  }
  return 'unknown';
}
