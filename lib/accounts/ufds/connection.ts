/**
 * One connection, bound. LDAP numbers its requests, so that many can be under way on it. The library's client would
 * connect again by itself, with what was left over in its parser: here a client that lost its connection is thrown away.
 */
import net from 'node:net';
import tls from 'node:tls';
import { Client, type Entry, type SearchOptions } from 'ldapts';
import { within } from '../../runtime/within.ts';
import type { UfdsOptions } from './options.ts';

/** No answer came in time, or the connection ended before it. The library's own errors are the directory's answers. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** Milliseconds. The system finds out in the end that the other side is gone, even if nobody asks anything. */
const KEEP_ALIVE_AFTER = 30_000;

/** Entries in one page: fewer than the 500 that a directory usually answers at most. */
const PAGE = 200;

export class Connection {
  readonly #client: Client;
  #socket: net.Socket | undefined;
  #isOver = false;

  private constructor({ url, tls: { insecure, ca, serverName: servername } }: UfdsOptions) {
    const hold = <S extends net.Socket>(make: () => S): S => {
      // The client would connect again, but nobody would have bound it: what it may not see would look like nothing.
      if (this.#socket) throw new ConnectionLostError('the connection ended');
      const socket = make();
      this.#socket = socket;
      socket.setKeepAlive(true, KEEP_ALIVE_AFTER);
      socket.once('close', () => {
        this.#isOver = true;
      });
      return socket;
    };
    const tlsOptions = {
      rejectUnauthorized: !insecure,
      ...(ca !== undefined && { ca }),
      ...(servername !== undefined && { servername }),
    };
    this.#client = new Client({
      url,
      createConnection: ((port: number, host: string) => hold(() => net.connect(port, host))) as typeof net.connect,
      createSecureConnection: ((port: number, host: string, options: tls.ConnectionOptions) =>
        hold(() => tls.connect(port, host, options))) as typeof tls.connect,
      ...(new URL(url).protocol === 'ldaps:' && { tlsOptions }),
    });
  }

  /**
   * @param signal ends the connection, also while it is made
   * @throws ConnectionLostError; what the directory answers to the bind
   */
  static async open(options: UfdsOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(options);
    const end = () => connection.end('the directory was closed');
    const bound = connection.#client.bind(options.bindDN, options.bindPassword);
    signal.addEventListener('abort', end);
    connection.#socket?.once('close', () => signal.removeEventListener('abort', end));
    await connection.#within(options.connectTimeout, bound);
    return connection;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * All entries, page by page where the directory knows pages.
   * @param timeout milliseconds
   * @throws ConnectionLostError; what the directory answers
   */
  async search(base: string, options: SearchOptions, timeout: number): Promise<readonly Entry[]> {
    const search = { ...options, paged: { pageSize: PAGE }, timeLimit: Math.ceil(timeout / 1000) };
    // What is left of the time differs each time, and the log has a line for each reason.
    const { searchEntries } = await this.#within(timeout, this.#client.search(base, search), 'ufds.timeoutSeconds');
    return searchEntries;
  }

  /** Whoever still waits for an answer is told that it is lost. */
  end(reason = 'the connection was closed'): void {
    this.#isOver = true;
    this.#socket?.destroy(new ConnectionLostError(reason));
  }

  /** Half an answer is of no use, nor is the connection on which an answer is overdue. */
  async #within<T>(timeout: number, answer: Promise<T>, shown = `${timeout} ms`): Promise<T> {
    try {
      return await within(timeout, answer, () => {
        throw new ConnectionLostError(`no answer within ${shown}`);
      });
    } catch (error) {
      if (!isAnswer(error) || !this.#client.isBound) this.end(reasonOf(error));
      if (isAnswer(error) || error instanceof ConnectionLostError) throw error;
      throw new ConnectionLostError(reasonOf(error), { cause: error });
    }
  }
}

/** Whether the directory said so itself: its errors carry the code of the protocol. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'number';
}

/** In one line. The library appends the cause to a line about its messages, which says nothing to an operator. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (
    error.message
      .split('\n')
      .filter((line) => !line.startsWith('Socket error.'))
      .join(' ') || error.name
  );
}
