/** The configuration of CloudAPI's image part; etc/cloudapi.schema.json describes each key for those who write it. */
import { resolve } from 'node:path';
import schema from '../../etc/cloudapi.schema.json' with { type: 'json' };
import type { ConnectionsConfig } from '../http-kit/connection-limits.ts';
import type { LogLevel } from '../service/config/config.ts';
import { ConfigError } from '../service/config/config-error.ts';
import { type JsonObject, readConfigFile } from '../service/config/read-file.ts';
import { applySchema } from '../service/config/schema.ts';

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
  /** JSON file with the accounts of the cloud and their SSH keys. */
  readonly accounts: { readonly file: string };
  /** The account whose keys may act for all others, by UUID or login; absent: there is none. */
  readonly adminUuid?: string;
  readonly adminLogin?: string;
  /** URL of each datacenter's CloudAPI by its name. */
  readonly datacenters: Readonly<Record<string, string>>;
  /** Whether AdminGetImageFile sends its caller to the object store; false: files come through here. */
  readonly pulls: { readonly redirect: boolean };
  /** `seconds`: how long the process may take to end after a SIGTERM, whatever is open. */
  readonly shutdown: { readonly seconds: number };
  readonly clockSkewSeconds: number;
  readonly jsonBytes: number;
  readonly connections: ConnectionsConfig;
  /** The Server header. */
  readonly serverName?: string;
}

export interface LoadedCloudapiConfig {
  readonly config: CloudapiConfig;
  /** Paths of keys that the schema does not know. */
  readonly unknownKeys: readonly string[];
}

/** @throws ConfigError with one line per problem */
export async function loadCloudapiConfig(file: string): Promise<LoadedCloudapiConfig> {
  return checkCloudapiConfig(await readConfigFile(file), file);
}

/** @param from what messages name as the place of the problems */
export function checkCloudapiConfig(given: JsonObject, from = 'configuration'): LoadedCloudapiConfig {
  const { value, problems, unknownKeys } = applySchema(given, schema);
  if (problems.length > 0) throw new ConfigError(from, problems);
  const checked = value as unknown as CloudapiConfig;
  return { config: { ...checked, accounts: { file: resolve(checked.accounts.file) } }, unknownKeys };
}
