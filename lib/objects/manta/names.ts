/**
 * Names in Manta: directories, links, what is where. The npm client does it, but it waits for ever for an answer that
 * does not come or breaks off, so each call has a deadline here, after which its connection is closed.
 */
import type { EventEmitter } from 'node:events';
import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import bunyan from 'bunyan';
import manta, { type Info, type MantaClient, type Result } from 'manta';
import { startTimer } from '../../runtime/timers.ts';
import type { Retries } from '../retries.ts';
import type { Credentials } from './credentials.ts';
import { MantaError, MantaSilentError, notMantas } from './failure.ts';
import { withRetries } from './retry.ts';

export interface NamesOptions {
  readonly url: string;
  readonly credentials: Credentials;
  /** For these calls alone: a connection on which nothing happens is closed. */
  readonly agent: Agent;
  readonly insecure: boolean;
  /** Milliseconds for one call. */
  readonly timeout: number;
  readonly retries: Retries;
}

/** What Manta tells of a name. */
export type NameInfo =
  | {
      readonly type: 'object';
      readonly size: number;
      readonly mtime: Date;
      readonly md5: string;
      readonly etag: string;
    }
  | { readonly type: 'directory'; readonly entries: number };

export interface NameEntry {
  readonly name: string;
  readonly type: 'object' | 'directory';
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly mtime: Date;
}

/** With an error, the result is the answer, if one came. */
type Callback<T> = (error: Error | null, result: T) => void;
type Begin<T> = (done: Callback<T>, touch: () => void) => void;

export class Names {
  readonly #client: MantaClient;
  readonly #options: NamesOptions;

  constructor(options: NamesOptions) {
    const { url, credentials, agent, insecure, timeout } = options;
    this.#options = options;
    closeSilent(agent, timeout);
    this.#client = manta.createClient({
      url,
      user: credentials.user,
      ...(credentials.subuser !== undefined && { subuser: credentials.subuser }),
      sign: (text, callback) => callback(null, credentials.signed(text)),
      // It logs requests with their signatures.
      log: bunyan.createLogger({ name: 'manta', streams: [] }),
      agent,
      connectTimeout: timeout,
      rejectUnauthorized: !insecure,
      retry: false,
    });
  }

  /** Undefined if there is nothing. */
  async info(path: string): Promise<NameInfo | undefined> {
    try {
      return await this.#call<Info, NameInfo>(
        (done) => this.#client.info(path, done),
        (info) => toNameInfo(path, info),
      );
    } catch (error) {
      if (error instanceof MantaError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** No error if it is there. */
  async mkdir(path: string): Promise<void> {
    await this.#call<Result, void>((done) => this.#client.mkdir(path, done), assertDone);
  }

  /** Made once: callers know what a second attempt needs. */
  async link(source: string, path: string): Promise<void> {
    await this.#once<Result, void>((done) => this.#client.ln(source, path, done), assertDone);
  }

  /** Of an object or an empty directory. */
  async unlink(path: string): Promise<void> {
    await this.#call<Result, void>((done) => this.#client.unlink(path, done), assertDone);
  }

  /** Empty if there is no such directory. */
  async list(path: string): Promise<NameEntry[]> {
    const found = await this.info(path);
    if (found?.type !== 'directory') return [];
    try {
      return await this.#call<NameEntry[], NameEntry[]>(
        (done, touch) => this.#list(path, done, touch),
        (entries) => entries,
      );
    } catch (error) {
      if (error instanceof MantaError && error.status === 404) return [];
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  #list(path: string, done: Callback<NameEntry[]>, touch: () => void): void {
    const found = new Map<string, NameEntry>();
    const collect = (entries: EventEmitter): void => {
      entries.on('entry', (entry: Record<string, unknown>) => {
        touch();
        const type = entry['type'] === 'directory' ? 'directory' : 'object';
        const name = String(entry['name']);
        found.set(name, { name, type, size: Number(entry['size'] ?? 0), mtime: new Date(String(entry['mtime'])) });
      });
      entries.once('error', (error) => done(error, []));
      entries.once('end', () => done(null, [...found.values()]));
    };
    this.#client.ls(path, { _no_dir_check: true }, (error, entries) => {
      if (error) done(error, []);
      else collect(entries);
    });
  }

  #call<R, T>(begin: Begin<R>, take: (result: R) => T): Promise<T> {
    return withRetries(this.#options.retries, () => this.#once(begin, take));
  }

  /** @param take what the call is answered with; throws if it is no answer */
  async #once<R, T>(begin: Begin<R>, take: (result: R) => T): Promise<T> {
    const { timeout, url } = this.#options;
    const result = await new Promise<R>((resolve, reject) => {
      const timer = startTimer(() => reject(new MantaSilentError(`${url} did not answer for ${timeout} ms`)), timeout);
      const done: Callback<R> = (error, answer) => {
        timer.stop();
        if (error) reject(toFailure(error, answer, url));
        else resolve(answer);
      };
      begin(done, () => timer.refresh());
    });
    return take(result);
  }
}

/** The client hands out no requests, so its connections are where a call that hangs can be ended. */
function closeSilent(agent: Agent, timeout: number): void {
  const { createConnection } = agent as unknown as { createConnection: (...args: unknown[]) => Socket };
  Object.assign(agent, {
    createConnection(...args: unknown[]): Socket {
      const socket = createConnection.apply(agent, args);
      socket.on('timeout', () => socket.destroy());
      socket.setTimeout(timeout);
      return socket;
    },
  });
}

function toFailure(error: Error, answer: unknown, url: string): unknown {
  const { statusCode, code, body } = error as Error & { statusCode?: number; code?: string; body?: { code?: string } };
  if (statusCode === undefined) {
    return new MantaSilentError(`${url} did not answer: ${code ?? error.message}`, { cause: error });
  }
  const retryAfter = Number((answer as Partial<Result> | undefined)?.headers?.['retry-after'] ?? 0);
  return new MantaError(statusCode, body?.code ?? '', error.message, { cause: error, retryAfter });
}

/** @throws MantaSilentError */
function assertDone({ statusCode }: Result): void {
  if (statusCode !== 204) throw notMantas(`${statusCode}`);
}

/** @throws MantaSilentError */
function toNameInfo(path: string, { headers, type = '' }: Info): NameInfo {
  if (/type=directory/.test(type)) {
    return { type: 'directory', entries: Number(headers['result-set-size'] ?? Number.NaN) };
  }
  const { etag } = headers;
  if (etag === undefined) throw notMantas(`to HEAD ${path}`);
  return {
    type: 'object',
    size: Number(headers['content-length'] ?? 0),
    mtime: new Date(headers['last-modified'] ?? 0),
    md5: headers['content-md5'] ?? '',
    etag,
  };
}
