/** The server that a command talks to: as the caller, or over the administration routes with the operator's secret. */

import { resolve } from 'node:path';
import type { ImgapiClientOptions, RequestSigner } from '#lib/client/caller.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { listenerUrl } from '#lib/network/listener-url.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Config } from '#src/service/config/config.ts';
import type { LoadedConfig } from '#src/service/config/load.ts';
import type { Environment } from '../../framework/command.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { type GivenToken, givenToken, tokenSigner } from '../../shared/token.ts';
import { firstThere, INSTALLED_CONFIGS } from './installed-config.ts';
import { isServedHere, readOperatorToken, tokenFor } from './operator-token.ts';
import type { ConnectionValues } from './options.ts';
import { SHORT_PATIENCE } from './patience.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_DATA_DIR = 'build/data';

export interface LocalData {
  readonly dataDir: string;
  /** The configuration that was named, and its file. */
  readonly config?: Config;
  readonly file?: string;
}

export interface ServerConfig extends LoadedConfig {
  /** Absolute; absent: the server runs without one. */
  readonly file?: string;
}

export class Connection {
  readonly #values: ConnectionValues;
  readonly #env: Environment;
  readonly #userAgent: string;
  readonly #installed: readonly string[];
  #config: Promise<LoadedConfig> | undefined;
  #client: ImgapiClient | undefined;
  readonly #operators: ImgapiClient[] = [];
  #account: Promise<string> | undefined;

  /** @param installed where the server's configuration may lie that nobody names */
  constructor(values: ConnectionValues, env: Environment, userAgent: string, installed = INSTALLED_CONFIGS) {
    this.#values = values;
    this.#env = env;
    this.#userAgent = userAgent;
    this.#installed = installed;
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
    const operator = await this.operator(SHORT_PATIENCE);
    return (await operator.adminGetAccount(account, { signal: AbortSignal.timeout(SHORT_PATIENCE) })).uuid;
  }

  /** The options that lead to the same server and account in another command. */
  get words(): string[] {
    const { url, account, config, 'token-file': tokenFile } = this.#values;
    return [
      ...(url === undefined ? [] : ['-u', redact(url)]),
      ...(url === undefined && config !== undefined ? ['-f', config] : []),
      ...(account === undefined ? [] : ['-a', account]),
      ...(tokenFile === undefined ? [] : ['--token-file', tokenFile]),
    ];
  }

  async client(): Promise<ImgapiClient> {
    const account = await this.account();
    this.#client ??= new ImgapiClient({ ...(await this.#clientOptions()), ...(account !== undefined && { account }) });
    return this.#client;
  }

  async #clientOptions(): Promise<ImgapiClientOptions> {
    const url = await this.url();
    const token = this.#token();
    if (token) return { url, userAgent: this.#userAgent, signer: tokenSigner(token, url) };
    return { url, userAgent: this.#userAgent, signer: (request) => this.#credentials(url, request.headers) };
  }

  /** Where the server wants to know who asks, an operator on its machine needs no key. */
  async #credentials(url: string, headers: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const dataDir = await this.#dataDir();
    if (headers['authorization'] !== undefined || !(await isServedHere(url, dataDir))) return {};
    const token = await readOperatorToken(dataDir).catch(() => undefined);
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /**
   * For what only operators on the server's machine may ask; whatever account is named.
   * @param patience milliseconds that an answer, or a line of it, may take
   * @throws CommandError when the operator's secret cannot be read
   */
  async operator(patience: number): Promise<ImgapiClient> {
    const url = await this.url();
    const token = this.#token();
    const signer = token ? tokenSigner(token, url) : await this.#operatorSigner(url);
    const client = new ImgapiClient({
      url,
      userAgent: this.#userAgent,
      answerTimeout: patience,
      idleTimeout: patience,
      signer,
    });
    this.#operators.push(client);
    return client;
  }

  #token(): GivenToken | undefined {
    return givenToken(this.#values['token-file'], this.#env, ['IMGAPI_TOKEN']);
  }

  async #operatorSigner(url: string): Promise<RequestSigner> {
    const authorization = `Bearer ${await tokenFor(url, await this.#dataDir())}`;
    return () => ({ authorization });
  }

  /** The data on this machine, for commands that need no server. */
  async localData(): Promise<LocalData> {
    const file = await this.#file();
    const dataDir = await this.#dataDir();
    if (file === undefined) return { dataDir };
    const { config } = await this.#loadConfig(file);
    const { databaseType } = config;
    if (databaseType !== 'local') {
      const message = `the documents of this server are not in its data directory: databaseType is "${databaseType}"`;
      throw new CommandError(message, { code: 'DocumentsElsewhere', details: ['back them up where they are'] });
    }
    return { dataDir, file: resolve(file), config };
  }

  /** The configuration of the server, for commands that work beside it on its stores. */
  async serverConfig(): Promise<ServerConfig> {
    const file = await this.#file();
    if (file !== undefined) return { ...(await this.#loadConfig(file)), file: resolve(file) };
    const { loadConfig } = await import('#src/service/config/load.ts');
    return loadConfig(undefined, { dataDir: await this.#dataDir() });
  }

  /** Breaks off what is still under way. */
  async close(): Promise<void> {
    await this.#client?.destroy();
    await Promise.all(this.#operators.map((client) => client.destroy()));
  }

  /** The command line goes before the environment. */
  async url(): Promise<string> {
    const { url } = this.#values;
    if (url !== undefined) return url;
    const file = await this.#file();
    if (file !== undefined) return urlOf((await this.#loadConfig(file)).config);
    const named = this.#env['IMGAPI_URL'];
    if (named === undefined || named === '') return DEFAULT_URL;
    if (isHttpUrl(named)) return named;
    throw usageError(`IMGAPI_URL is ${JSON.stringify(named)}; it must be an http or https URL`);
  }

  async #dataDir(): Promise<string> {
    const { 'data-dir': dataDir } = this.#values;
    if (dataDir !== undefined) return resolve(dataDir);
    const file = await this.#file();
    if (file !== undefined) return (await this.#loadConfig(file)).config.dataDir;
    return resolve(this.#env['IMGAPI_DATA_DIR'] || DEFAULT_DATA_DIR);
  }

  /** The configuration of the server: the one that was named, else, where nothing names a server, that of the one installed here. */
  async #file(): Promise<string | undefined> {
    const { config, url, 'data-dir': dataDir } = this.#values;
    if (config !== undefined) return config;
    const named = [url, dataDir, this.#env['IMGAPI_URL'], this.#env['IMGAPI_DATA_DIR']];
    return named.some((one) => one !== undefined && one !== '') ? undefined : firstThere(this.#installed);
  }

  #loadConfig(file: string): Promise<LoadedConfig> {
    this.#config ??= readConfig(file);
    return this.#config;
  }
}

/** Loaded when it is needed: most runs of a command never look at a configuration. */
async function readConfig(file: string): Promise<LoadedConfig> {
  const { loadConfig } = await import('#src/service/config/load.ts');
  return loadConfig(file);
}

/** Of the server itself: whoever has its configuration is on its machine, and needs no way around. */
function urlOf({ address, port }: Config): string {
  const isAny = address === '0.0.0.0' || address === '::';
  return listenerUrl(isAny ? '127.0.0.1' : address, port);
}
