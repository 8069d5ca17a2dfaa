/** The server that a command talks to: as the caller, or over the administration routes with the operator's secret. */

import { resolve } from 'node:path';
import { type Call, Caller, type CallOptions, type ImgapiClientOptions } from '#lib/client/caller.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { readJsonLines } from '#lib/client/json-lines.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Config } from '#src/service/config/config.ts';
import type { Environment } from '../../framework/command.ts';
import { usageError } from '../../framework/errors.ts';
import { isServedHere, readOperatorToken, tokenFor } from './operator-token.ts';
import { type ConnectionValues, isHttpUrl } from './options.ts';
import { SHORT_PATIENCE } from './patience.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_DATA_DIR = 'build/data';

export interface AdminCallOptions {
  readonly signal: AbortSignal;
  /** Milliseconds that the answer, or a line of it, may take. */
  readonly patience: number;
}

export interface LocalData {
  readonly dataDir: string;
  /** The configuration that was named, and its file. */
  readonly config?: Config;
  readonly file?: string;
}

export class Connection {
  readonly #values: ConnectionValues;
  readonly #env: Environment;
  readonly #userAgent: string;
  #config: Promise<Config> | undefined;
  #client: ImgapiClient | undefined;
  #caller: Caller | undefined;
  #account: Promise<string> | undefined;

  constructor(values: ConnectionValues, env: Environment, userAgent: string) {
    this.#values = values;
    this.#env = env;
    this.#userAgent = userAgent;
  }

  /**
   * UUID of the account that the command acts for; undefined: it acts as the operator.
   * @throws CommandError as `uuidOf` does
   */
  async account(): Promise<string | undefined> {
    const { account } = this.#values;
    if (account === undefined) return undefined;
    this.#account ??= this.uuidOf(account);
    return this.#account;
  }

  /**
   * Whose a login is, asked of the server's directory; a UUID is taken as it is.
   * @throws CommandError where the administration routes are not for this command to use
   */
  async uuidOf(account: string): Promise<string> {
    if (isUuid(account)) return account;
    const call = { method: 'GET', path: `/admin/accounts/${encodeURIComponent(account)}` } as const;
    const options = { signal: AbortSignal.timeout(SHORT_PATIENCE), patience: SHORT_PATIENCE };
    return (await this.admin<{ readonly uuid: string }>(call, options)).uuid;
  }

  /** The options that lead to the same server and account in another command. */
  get words(): string[] {
    const { url, account, config } = this.#values;
    return [
      ...(url === undefined ? [] : ['-u', redact(url)]),
      ...(url === undefined && config !== undefined ? ['-f', config] : []),
      ...(account === undefined ? [] : ['-a', account]),
    ];
  }

  async client(): Promise<ImgapiClient> {
    const account = await this.account();
    this.#client ??= new ImgapiClient({ ...(await this.#clientOptions()), ...(account !== undefined && { account }) });
    return this.#client;
  }

  async #clientOptions(): Promise<ImgapiClientOptions> {
    const url = await this.url();
    return { url, userAgent: this.#userAgent, signer: (request) => this.#credentials(url, request.headers) };
  }

  /** Where the server wants to know who asks, an operator on its machine needs no key. */
  async #credentials(url: string, headers: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const dataDir = await this.#dataDir();
    if (headers['authorization'] !== undefined || !(await isServedHere(url, dataDir))) return {};
    const token = await readOperatorToken(dataDir).catch(() => undefined);
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Calls a route for operators. @throws CommandError when the operator's secret cannot be read */
  async admin<T>(call: Call, options: AdminCallOptions): Promise<T> {
    const caller = await this.#adminCaller();
    return caller.json<T>(await this.#authorized(call), timesOf(options));
  }

  /** The same for an answer that comes line by line. */
  async *adminLines<T>(call: Call, options: AdminCallOptions): AsyncGenerator<T, void> {
    const caller = await this.#adminCaller();
    const headers = { ...call.headers, accept: 'application/x-json-stream' };
    yield* readJsonLines<T>(await caller.send(await this.#authorized({ ...call, headers }), timesOf(options)));
  }

  /** The data on this machine, for commands that need no server. */
  async localData(): Promise<LocalData> {
    const { config } = this.#values;
    const dataDir = await this.#dataDir();
    return config === undefined
      ? { dataDir }
      : { dataDir, file: resolve(config), config: await this.#loadConfig(config) };
  }

  /** Breaks off what is still under way. */
  async close(): Promise<void> {
    await this.#client?.destroy();
    await this.#caller?.transport.destroy();
  }

  /** The command line goes before the environment. */
  async url(): Promise<string> {
    const { url, config } = this.#values;
    if (url !== undefined) return url;
    if (config !== undefined) return urlOf(await this.#loadConfig(config));
    const named = this.#env['IMGAPI_URL'];
    if (named === undefined || named === '') return DEFAULT_URL;
    if (isHttpUrl(named)) return named;
    throw usageError(`IMGAPI_URL is ${JSON.stringify(named)}; it must be an http or https URL`);
  }

  async #dataDir(): Promise<string> {
    const { 'data-dir': dataDir, config } = this.#values;
    if (dataDir !== undefined) return resolve(dataDir);
    if (config !== undefined) return (await this.#loadConfig(config)).dataDir;
    return resolve(this.#env['IMGAPI_DATA_DIR'] || DEFAULT_DATA_DIR);
  }

  async #adminCaller(): Promise<Caller> {
    this.#caller ??= new Caller(await this.#clientOptions());
    return this.#caller;
  }

  async #authorized(call: Call): Promise<Call> {
    const token = await tokenFor(await this.url(), await this.#dataDir());
    return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
  }

  #loadConfig(file: string): Promise<Config> {
    this.#config ??= readConfig(file);
    return this.#config;
  }
}

/** Loaded when it is needed: most runs of a command never look at a configuration. */
async function readConfig(file: string): Promise<Config> {
  const { loadConfig } = await import('#src/service/config/load.ts');
  return (await loadConfig(file)).config;
}

function timesOf({ signal, patience }: AdminCallOptions): CallOptions {
  return { signal, answerTimeout: patience, idleTimeout: patience };
}

/** Of the server itself: whoever has its configuration is on its machine, and needs no way around. */
function urlOf({ address, port }: Config): string {
  const isAny = address === '0.0.0.0' || address === '::';
  const host = isAny ? '127.0.0.1' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
