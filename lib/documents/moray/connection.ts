/**
 * One connection to Moray. The client could hold several, but would then send calls down one that is silently dead, and
 * has no way to close that one alone.
 */
import { type EventEmitter, once } from 'node:events';
import Logger from 'bunyan';
import moray, { type Client, type Done, type Recovery } from 'moray';
import { timeLimit } from '../../runtime/timers.ts';
import { MorayError } from './failure.ts';

export interface MorayAddress {
  /** An IP address, or a name in DNS; the client does not read /etc/hosts. */
  readonly host: string;
  readonly port: number;
}

/** An object as Moray answers it. */
export interface MorayObject {
  readonly key: string;
  readonly value: Record<string, unknown>;
  readonly _etag: string;
  /** Milliseconds since the epoch. */
  readonly _mtime: number;
  /** How many there are; only if it was asked for. */
  readonly _count?: number;
}

/** What a call does with a client. */
export type Work<T> = (client: Client) => Promise<T>;

/** The client takes no endless number of retries; it goes on trying after them, every `maxDelay`. */
const RECOVERY: Recovery = { retries: 3, timeout: 2000, maxTimeout: 4000, delay: 50, maxDelay: 500 };
/** The client writes what it sends and gets, secrets too, and pages for each try to connect. */
const SILENT = new Logger({ name: 'moray', streams: [] });
const PING_MS = 2000;
const CLOSE_MS = 2000;

export class MorayConnection {
  readonly #client: Client;
  /** Calls under way. */
  #calls = 0;
  /** Whether the client has given up a connection since a call last went through. */
  isDown = true;
  #isClosed = false;

  constructor({ host, port }: MorayAddress) {
    this.#client = moray.createClient({
      host,
      port,
      log: SILENT,
      unwrapErrors: true,
      requireIndexes: true,
      cueballOptions: {
        target: 1,
        maximum: 1,
        recovery: { default: RECOVERY, dns: RECOVERY, dns_srv: { ...RECOVERY, retries: 0 } },
      },
    });
    // Without a listener a failed connection would end the process; calls say what is wrong.
    this.#client.on('error', () => undefined);
    this.#client.on('connect', () => {
      this.isDown = false;
    });
  }

  get calls(): number {
    return this.#calls;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws MorayError */
  async call<T>(work: Work<T>): Promise<T> {
    this.#calls += 1;
    try {
      const result = await work(this.#client);
      this.isDown = false;
      return result;
    } catch (error) {
      throw error instanceof MorayError ? error : new MorayError(error);
    } finally {
      this.#calls -= 1;
    }
  }

  /** Whether Moray still answers on it. */
  async isAlive(): Promise<boolean> {
    try {
      await this.call((client) => answered((done) => client.ping({ timeout: PING_MS }, done)));
      return true;
    } catch {
      return false;
    }
  }

  /** Calls under way fail. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = once(this.#client, 'close', { signal: timeLimit(CLOSE_MS) });
    this.#client.close();
    await closed.catch(() => undefined);
  }
}

/** Of a call that answers once. */
export function answered(call: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(new MorayError(error));
      else resolve(result);
    });
  });
}

/** Of a call that answers with records. */
export function records<T>(emitter: EventEmitter): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const found: T[] = [];
    emitter.on('record', (record: T) => found.push(record));
    emitter.once('error', (error: unknown) => reject(new MorayError(error)));
    emitter.once('end', () => resolve(found));
  });
}
