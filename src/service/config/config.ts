/**
 * The configuration as the service uses it: every default filled in, every path absolute. etc/config.schema.json
 * describes each key for those who write the file; a key is optional here only where its absence means something.
 */
import type { ConnectionsConfig } from '../../http-kit/connection-limits.ts';

export const MODES = ['public', 'private', 'dc'] as const;
export type Mode = (typeof MODES)[number];

export const AUTH_TYPES = ['none', 'signature'] as const;
export type AuthType = (typeof AUTH_TYPES)[number];

export const DATABASE_TYPES = ['local', 'moray'] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];

export const STORAGE_TYPES = ['local', 'manta'] as const;
export type StorageType = (typeof STORAGE_TYPES)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ChannelConfig {
  readonly name: string;
  readonly description: string;
  /** Taken by requests that name no channel; at most one channel has it. */
  readonly default?: boolean;
}

export interface Listener {
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** The accounts of the cloud. */
export interface AccountsConfig {
  /** JSON file that holds them; used in `dc` mode. */
  readonly file: string;
  /** How long a login that nobody holds may still turn up, as a directory's replicas lag. */
  readonly maxLagSeconds: number;
  readonly cacheSeconds: number;
}

/** The listener for other datacenters, and what this one tells them. */
export interface LinksConfig {
  readonly address: string;
  /** Absent: this datacenter takes no links. */
  readonly port?: number;
  /** Where other datacenters reach the listener, when that is not address and port. */
  readonly publicUrl?: string;
  /** Origins (scheme, host, port) beyond `publicUrl` that pull URLs made here may have. */
  readonly allowedPullOrigins: readonly string[];
  readonly clockSkewSeconds: number;
  /** Per link. */
  readonly requestsPerSecond: number;
}

export interface CopiesConfig {
  /** Transfers at once in this process. */
  readonly concurrency: number;
  /** Transfers at once from one datacenter, over all processes. */
  readonly perLink: number;
  /** Transfers at once for one account, over all processes; operators count as one. */
  readonly perAccount: number;
  /** Bytes per second below which a transfer gives its place to others; 0: none. */
  readonly leastRate: number;
  /** Over so long. */
  readonly leastRateSeconds: number;
  /** Bytes per second by datacenter, over all processes; a datacenter that is not listed is not limited. */
  readonly bandwidth: Readonly<Record<string, number>>;
  /** A transfer fails for good when no new byte came for so long. */
  readonly giveUpAfterSeconds: number;
  readonly keepFailedSeconds: number;
  readonly keepFinishedSeconds: number;
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  /** A source is given up when no byte came for so long: a copy's next attempt begins, a request fails. */
  readonly stallSeconds: number;
  /** Pause before the next attempt, in seconds: doubles from `min` to `max`. */
  readonly retryDelay: { readonly min: number; readonly max: number };
}

export interface PullsConfig {
  /** Whether linked datacenters may be sent to the object store itself; false: always streamed through here. */
  readonly redirect: boolean;
  /** Less than a day. */
  readonly expirySeconds: number;
  readonly keepDays: number;
  /** Base of the pull URLs that this service serves itself, when other datacenters reach it elsewhere. */
  readonly publicUrl?: string;
}

export interface LimitsConfig {
  readonly fileBytes: number;
  readonly jsonBytes: number;
  readonly iconBytes: number;
}

export interface Config extends Listener {
  readonly maxSockets: number;
  readonly logLevel: LogLevel;
  readonly mode: Mode;
  readonly authType: AuthType;
  readonly databaseType: DatabaseType;
  readonly storageTypes: readonly StorageType[];
  readonly placeholderImageLifespanDays: number;
  readonly allowLocalCreateImageFromVm: boolean;
  /** Release and build stamp of the oldest platform that can make images from machines. */
  readonly minImageCreationPlatform: readonly [string, string];
  /** Always there in `dc` mode. */
  readonly datacenterName?: string;
  /** Always there in `dc` mode. */
  readonly adminUuid?: string;
  /** The Server header. */
  readonly serverName: string;
  readonly httpProxy?: string;
  readonly allowInsecure: boolean;
  readonly dockerRegistryInsecure: boolean;
  /** Registry name to URL. */
  readonly lxdRegistries: Readonly<Record<string, string>>;
  /** Absent: the service knows no channels. */
  readonly channels?: readonly ChannelConfig[];
  /** User name to public keys in OpenSSH form. */
  readonly authKeys: Readonly<Record<string, readonly string[]>>;
  /** The other datacenters that are read through their main port, unsigned; never this one. */
  readonly imgapiUrlFromDatacenter: Readonly<Record<string, string>>;
  readonly adminIp?: string;
  readonly instanceUuid?: string;
  readonly serverUuid?: string;
  readonly serviceName: string;
  readonly vmapi?: { readonly url: string };
  readonly cnapi?: { readonly url: string };
  /** Everything the service keeps on this machine is below it. */
  readonly dataDir: string;
  /** Where clients reach the main port, when the Host header does not tell. */
  readonly publicUrl?: string;
  readonly accounts: AccountsConfig;
  readonly links: LinksConfig;
  readonly copies: CopiesConfig;
  readonly pulls: PullsConfig;
  readonly limits: LimitsConfig;
  /**
   * `quotaBytes`: all that local storage may take; absent: the disk is the limit. `headroomBytes`: what image files
   * leave of the disk in any case, for documents.
   */
  readonly storage: { readonly quotaBytes?: number; readonly headroomBytes: number };
  /** `leaseSeconds`: how long a task of the datacenter stays with a process that died while it ran it. */
  readonly tasks: { readonly leaseSeconds: number };
  /** `graceSeconds`: how old unreferenced staging must be before it is removed. */
  readonly sweep: { readonly intervalSeconds: number; readonly graceSeconds: number };
  /** Absent: no metrics listener. */
  readonly metrics?: Listener;
  /** Of each listener. */
  readonly connections: ConnectionsConfig;
  /** `idleSeconds`: an upload ends when no byte came for so long. */
  readonly uploads: { readonly idleSeconds: number };
  /** `seconds`: after a SIGTERM the process is gone within so long, whatever is open. */
  readonly shutdown: { readonly seconds: number };
  /** `allowPrivateAddresses`: whether operators may import from loopback, link-local and private addresses. */
  readonly sources: { readonly allowPrivateAddresses: boolean };
}

/** Whatever has a configuration: what is taken by those who need nothing else of the service. */
export interface WithConfig {
  readonly config: Config;
}
