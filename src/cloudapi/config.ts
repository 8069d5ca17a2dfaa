/** The configuration of CloudAPI's image part; etc/cloudapi.schema.json describes each key for those who write it. */
import { resolve } from 'node:path';
import schema from '../../etc/cloudapi.schema.json' with { type: 'json' };
import type { ConnectionsConfig } from '../http-kit/connection-limits.ts';
import type { LogLevel } from '../service/config/config.ts';
import { ConfigError } from '../service/config/config-error.ts';
import { isObject, type JsonObject, readConfigFile } from '../service/config/read-file.ts';
import { applySchema } from '../service/config/schema.ts';
import { resolveTokens, type TokensConfig, tokenRules } from '../service/config/tokens.ts';
import { notesOnUfds, type UfdsConfig } from '../service/config/ufds.ts';

/** What holds the accounts of the cloud and their SSH keys: a directory, or a JSON file at an absolute path. */
export type AccountsSource = { readonly ufds: UfdsConfig } | { readonly file: string };

export interface CloudapiConfig {
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly datacenterName: string;
  /** URL at which clients reach it, if a proxy in front has another path or host: clients sign what they send. */
  readonly publicUrl?: string;
  /** The IMGAPI of this datacenter, at the port that trusts its network. */
  readonly imgapi: { readonly url: string };
  readonly accountsSource: AccountsSource;
  /** For a directory. */
  readonly accounts: { readonly cacheSeconds: number; readonly negativeCacheSeconds: number };
  /** The account whose keys may act for all others, by UUID or login; absent: there is none. */
  readonly adminUuid?: string;
  readonly adminLogin?: string;
  /** Whether an account may work here only if its entry names this datacenter. */
  readonly accountAllowedDcs: boolean;
  /** Secrets of keyapi by their UUIDs, in hex. */
  readonly tokenKeys: Readonly<Record<string, string>>;
  /** Absent: no bearer tokens are accepted. */
  readonly tokens?: TokensConfig;
  /** URL of each datacenter's CloudAPI by its name. */
  readonly datacenters: Readonly<Record<string, string>>;
  /** Whether AdminGetImageFile sends its caller to the object store; false: files come through here. */
  readonly pulls: { readonly redirect: boolean };
  /** Whether accounts may bring images of files of their own. */
  readonly uploads: boolean;
  /** `seconds`: how long the process may take to end after a SIGTERM, whatever is open. */
  readonly shutdown: { readonly seconds: number };
  /** Processes on this machine; absent: one, without a supervisor. */
  readonly workers?: number;
  /** A worker whose event loop stands still for so long is killed. */
  readonly workerSilenceSeconds: number;
  /** Addresses and ranges of proxies in front, whose word about the client's address is taken. */
  readonly trustedProxies: readonly string[];
  readonly clockSkewSeconds: number;
  readonly jsonBytes: number;
  /**
   * At a time, in this process: `watches`: copies that are followed or waited for. `plans`: plans of copies. `share`: the part
   * of each that one account may have.
   */
  readonly limits: { readonly watches: number; readonly plans: number; readonly share: number };
  readonly connections: ConnectionsConfig;
  /** The Server header. */
  readonly serverName?: string;
}

type Checked = Omit<CloudapiConfig, 'accountsSource'> & {
  readonly accounts: { readonly file?: string };
  readonly ufds?: UfdsConfig;
};

export interface LoadedCloudapiConfig {
  readonly config: CloudapiConfig;
  /** Paths of keys that the schema does not know. */
  readonly unknownKeys: readonly string[];
  /** A line for each of them, with the key that was likely meant. */
  readonly unknownKeyProblems: readonly string[];
  /** What an operator should know about the settings, a line for each. */
  readonly notes: readonly string[];
}

/** @throws ConfigError with one line per problem */
export async function loadCloudapiConfig(file: string): Promise<LoadedCloudapiConfig> {
  return checkCloudapiConfig(await readConfigFile(file), file);
}

/** @param from what messages name as the place of the problems */
export function checkCloudapiConfig(given: JsonObject, from = 'configuration'): LoadedCloudapiConfig {
  const { value, problems, unknownKeys, unknownKeyProblems } = applySchema(given, schema);
  const found = hasAccounts(value) ? [...problems] : [...problems, NO_ACCOUNTS];
  // The rules take a section that is as the schema has it.
  if (found.length === 0) found.push(...tokenRules((value as unknown as Checked).tokens));
  if (found.length > 0) throw new ConfigError(from, found);
  const { ufds, tokens, ...checked } = value as unknown as Checked;
  const accountsSource = sourceOf(checked.accounts.file, ufds);
  const notes = 'ufds' in accountsSource ? notesOnUfds(accountsSource.ufds) : [];
  const config = { ...checked, accountsSource, ...(tokens && { tokens: resolveTokens(tokens) }) };
  return { config, unknownKeys, unknownKeyProblems, notes };
}

const NO_ACCOUNTS = 'accounts.file: missing, and so is ufds; one of the two is needed';

function hasAccounts({ accounts, ufds }: JsonObject): boolean {
  return ufds !== undefined || (isObject(accounts) && accounts['file'] !== undefined);
}

function sourceOf(file: string | undefined, ufds: UfdsConfig | undefined): AccountsSource {
  return ufds && file === undefined ? { ufds } : { file: resolve(file ?? '') };
}
