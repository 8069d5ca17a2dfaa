/** Buckets, and how their tables are made when many processes start at once. */
import { sql } from 'kysely';
import type { Declaration } from '../declaration.ts';
import { StoreUnavailableError } from '../errors.ts';
import { assertHere, type Place } from '../moving/moved.ts';
import { Buckets } from '../sql/buckets.ts';
import type { SqlDialect } from '../sql/dialect.ts';
import { behindFence, readMoved } from '../sql/moved-table.ts';
import { once, Statement, type Step } from '../sql/program.ts';
import { readDeclarations } from '../sql/schema.ts';
import { postgresDialect } from './dialect.ts';
import type { Session } from './session.ts';
import { begin, COMMIT, marksTable } from './transactions.ts';

const ENCODING = new Statement("select current_setting('server_encoding')", 'rows');
/** Ends with the transaction, so that it works through PgBouncer; and does not wait, so that nothing times out. */
const TRY_LOCK = new Statement("select pg_try_advisory_xact_lock(hashtext('imgapi'), hashtext($1))", 'rows');
const SCHEMA = new Statement('select 1 from pg_catalog.pg_namespace where nspname = $1', 'rows');

export class PostgresBuckets extends Buckets {
  readonly dialect: SqlDialect;
  readonly #schema: string;
  /** In which the fence itself is read. */
  readonly #plain: SqlDialect;
  readonly #place: Place;
  /** Grows when a bucket gets other tables. */
  generation = 0;

  constructor(schema: string, warn: (fields: object, message: string) => void, place: Place) {
    const plain = postgresDialect(schema);
    const dialect = place === 'behind-fence' ? behindFence(plain) : plain;
    super(dialect, warn);
    this.dialect = dialect;
    this.#schema = schema;
    this.#plain = plain;
    this.#place = place;
  }

  /** Adopts what is in force now. @throws StoreMovedError */
  async refresh(session: Session): Promise<void> {
    assertHere(await session.runProgram(readMoved(this.#plain)), this.#place);
    if (this.adopt(await session.runProgram(readDeclarations(this.dialect)))) this.generation += 1;
  }

  /**
   * Creates or upgrades the buckets, unless another process is doing so at this moment; then it returns false. Safe to
   * repeat.
   */
  async upgrade(session: Session, buckets: readonly Declaration[], statementMs: number): Promise<boolean> {
    await assertUtf8(session);
    const [, , [lock] = []] = await session.run([
      ...begin(statementMs),
      { statement: TRY_LOCK, values: [this.#schema] },
    ]);
    if (lock?.[0] !== true) return false;
    await session.run([...(await this.#schemaSteps(session)), ...marksTable(this.dialect)]);
    await this.refresh(session);
    const filled = this.outdated(buckets).filter(({ name }) => this.has(name));
    await session.runProgram(this.declare(buckets));
    await session.run([COMMIT]);
    await this.refresh(session);
    await session.run(filled.flatMap(({ name }) => this.#analyze(name)));
    return true;
  }

  /** A role that may use a schema which is there already need not be allowed to make one. */
  async #schemaSteps(session: Session): Promise<Step[]> {
    const [[known] = []] = await session.run([{ statement: SCHEMA, values: [this.#schema] }]);
    return known === undefined ? [once(this.dialect, sql`create schema ${sql.id(this.#schema)}`)] : [];
  }

  /** Until the server does that by itself, it knows nothing of tables that have been filled a moment ago. */
  #analyze(bucket: string): Step[] {
    return this.tables(bucket).layout.tables.map((table) =>
      once(this.dialect, sql`analyze ${this.dialect.table(table)}`),
    );
  }
}

async function assertUtf8(session: Session): Promise<void> {
  const [[encoding] = []] = await session.run([{ statement: ENCODING, values: [] }]);
  if (encoding?.[0] === 'UTF8') return;
  throw new StoreUnavailableError(`the encoding of the database is ${encoding?.[0]}, and must be UTF8`);
}
