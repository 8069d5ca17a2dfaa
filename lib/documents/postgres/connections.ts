/** The connections of this process to the database. */
import { type Client, Pool, type PoolClient } from 'pg';
import { startTimer } from '../../runtime/timers.ts';
import { UnderWay } from '../../runtime/under-way.ts';
import { closedError } from '../errors.ts';
import { connectionError, remedyFor } from './failure.ts';
import { Names } from './names.ts';
import type { PostgresOptions } from './options.ts';
import { Session } from './session.ts';

/** Milliseconds after which TCP asks whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;
/** Milliseconds for which a connection that nobody needs stays open. */
const IDLE_MS = 60_000;
/** Statements prepared on a connection after which it is replaced: each takes memory at the server. */
const MOST_PREPARED = 400;
/** Milliseconds for connections to be closed in an orderly way. */
const CLOSE_MS = 2000;

/** PostgreSQL's numbers of types whose values are not texts. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 700, 701]);
const BOOLEAN = 16;

function parserOf(type: number): (text: string) => unknown {
  if (NUMBERS.has(type)) return Number;
  return type === BOOLEAN ? (text) => text === 't' : (text) => text;
}

export class Connections {
  readonly #pool: Pool;
  readonly #names: Names;
  readonly #statementMs: number;
  /** All that are open, and those of them that somebody uses. */
  readonly #open = new Set<Client>();
  readonly #used = new Set<Client>();
  readonly #settling = new UnderWay();

  constructor(options: PostgresOptions) {
    const { host, port, user, password, database, tls, poolSize, connectMs, statementMs } = options;
    this.#names = new Names(options.preparedStatements);
    this.#statementMs = statementMs;
    this.#pool = new Pool({
      host,
      port,
      user,
      password,
      database,
      ssl: tls === undefined ? false : { ca: tls.ca, ...(tls.serverName && { servername: tls.serverName }) },
      max: poolSize,
      pipeline: true,
      application_name: 'imgapi',
      connectionTimeoutMillis: connectMs,
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: { getTypeParser: parserOf as typeof import('pg').types.getTypeParser },
    });
    // Whoever uses a connection learns of its failure from the statement; an idle one is simply gone.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      client.on('error', () => undefined);
      this.#open.add(client);
      client.on('end', () => this.#open.delete(client));
    });
  }

  /** From now on no statement stays prepared. */
  unprepare(): void {
    this.#names.isOn = false;
  }

  /**
   * @param statementMs that a statement may take, if not as long as all others
   * @throws ConnectionLostError, DatabaseError, the reason of the signal
   */
  async use<T>(
    body: (session: Session) => Promise<T>,
    signal?: AbortSignal,
    statementMs = this.#statementMs,
  ): Promise<T> {
    const client = await this.#acquire(signal);
    const session = new Session(client, this.#names, statementMs);
    try {
      return await body(session);
    } catch (error) {
      if (remedyFor(error) === 'reconnect') this.#suspectIdle();
      throw error;
    } finally {
      this.#release(session);
    }
  }

  /** Closes all connections once they are no longer used. */
  async close(): Promise<void> {
    const ended = this.#pool.end();
    await this.#settling.ended();
    // One whose other side is gone would never see the end of it.
    const timer = startTimer(() => this.#destroyAll(), CLOSE_MS);
    await ended;
    timer.stop();
  }

  async #acquire(signal: AbortSignal | undefined): Promise<PoolClient> {
    signal?.throwIfAborted();
    if (this.#pool.ending) throw closedError();
    const connecting = this.#pool.connect();
    const client = await (signal === undefined ? connecting : unlessAborted(connecting, signal)).catch((error) => {
      throw signal?.aborted === true ? error : connectionError(error);
    });
    this.#used.add(client);
    return client;
  }

  /** The caller does not wait for the connection to be fit for the next one. */
  #release(session: Session): void {
    void this.#settling.add(this.#settle(session));
  }

  async #settle(session: Session): Promise<void> {
    const { client } = session;
    const isFit = await session.settle();
    this.#used.delete(client);
    const isFull = session.preparedStatements > MOST_PREPARED;
    if (!isFit) client.connection.stream.destroy();
    client.release(!isFit || isFull);
  }

  /** What happened to one connection has often happened to all. Those that are idle cost nothing to replace. */
  #suspectIdle(): void {
    for (const client of this.#open) {
      if (!this.#used.has(client)) client.connection.stream.destroy();
    }
  }

  #destroyAll(): void {
    for (const client of this.#open) client.connection.stream.destroy();
  }
}

/** @throws the reason of the signal; the connection then goes back by itself */
function unlessAborted(connecting: Promise<PoolClient>, signal: AbortSignal): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    connecting
      .then((client) => {
        // Whoever asked has it, or the pool: never both.
        if (signal.aborted) client.release();
        else resolve(client);
      }, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
