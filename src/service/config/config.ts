/**
 * The configuration as the service uses it: every default filled in, every path absolute. etc/config.schema.json
 * describes each key for those who write the file; a key is optional here only where its absence means something.
 */
import type { Acceptance } from '#lib/api/acceptance.ts';
import type { ConnectionsConfig } from '../../http-kit/connection-limits.ts';
import type { Bandwidth } from './bandwidth.ts';
import type { CreateFromVmKeys } from './create-from-vm.ts';
import type { MantaConfig } from './manta.ts';
import type { MorayConfig } from './moray.ts';
import type { PostgresConfig } from './postgres.ts';
import type { S3Config } from './s3.ts';
import type { TokensConfig } from './tokens.ts';
import type { UfdsConfig } from './ufds.ts';
import type { WebhookConfig } from './webhooks.ts';

export const MODES = ['public', 'private', 'dc'] as const;
export type Mode = (typeof MODES)[number];

export const AUTH_TYPES = ['none', 'signature'] as const;
export type AuthType = (typeof AUTH_TYPES)[number];

export const DATABASE_TYPES = ['local', 'postgres', 'moray'] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];

export const STORAGE_TYPES = ['local', 'manta', 's3'] as const;
export type StorageType = (typeof STORAGE_TYPES)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ChannelConfig {
  readonly name: string;
  readonly description: string;
  /** Whether requests that name no channel mean this one; at most one channel is the default. */
  readonly default?: boolean;
}

export interface Listener {
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** The accounts of the cloud. */
export interface AccountsConfig {
  /** JSON file that holds them; used in `dc` mode without `ufds`. */
  readonly file: string;
  /** For how long an unknown login may still turn up, because a directory's replicas lag. */
  readonly maxLagSeconds: number;
  readonly cacheSeconds: number;
  readonly negativeCacheSeconds: number;
}

/** The listener for other datacenters, and what they are told. */
export interface LinksConfig {
  readonly address: string;
  /** Absent: other datacenters cannot link to this one. */
  readonly port?: number;
  /** Where other datacenters reach the listener, if not at `address` and `port`. */
  readonly publicUrl?: string;
  /** Origins (scheme, host, port) beyond `publicUrl` that pull URLs made here may have. */
  readonly allowedPullOrigins: readonly string[];
  readonly clockSkewSeconds: number;
  /** Per link. */
  readonly requestsPerSecond: number;
  /** The linked datacenters that may order copies here, and how many bytes of files in a day (UTC). */
  readonly acceptOrders: Readonly<Record<string, { readonly bytesPerDay: number }>>;
}

export interface CopiesConfig {
  /** Transfers at once in this process. */
  readonly concurrency: number;
  /** Transfers at once from one datacenter, over all processes. */
  readonly perLink: number;
  /** Transfers at once for one account, over all processes; operators count as one. */
  readonly perAccount: number;
  /** Of one transfer. */
  readonly connections: number;
  /** Bytes per second from which on a large file comes as one stream all the same; 0: never. */
  readonly oneStreamRate: number;
  /** The datacenters that may supply pieces of images that were ordered elsewhere; absent: all that are linked. */
  readonly holders?: readonly string[];
  /** Bytes per second below which a transfer gives up its place to others; 0: no minimum. */
  readonly leastRate: number;
  /** The time over which `leastRate` is measured. */
  readonly leastRateSeconds: number;
  /**
   * Bytes per second by datacenter, over all processes, or by the time of day (UTC). A datacenter that is not listed is not
   * limited.
   */
  readonly bandwidth: Readonly<Record<string, Bandwidth>>;
  /** A transfer fails for good if no new byte arrived for so long. */
  readonly giveUpAfterSeconds: number;
  readonly keepFailedSeconds: number;
  readonly keepFinishedSeconds: number;
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  /** A source that sends nothing for so long is given up: a copy begins its next attempt, a request fails. */
  readonly stallSeconds: number;
  /** Pause before the next attempt, in seconds: doubled each time, from `min` to `max`. */
  readonly retryDelay: { readonly min: number; readonly max: number };
}

export interface PullsConfig {
  /** Whether linked datacenters may be redirected to the object store; false: files always pass through this service. */
  readonly redirect: boolean;
  /** Less than a day. */
  readonly expirySeconds: number;
  readonly keepDays: number;
  /** Base of the pull URLs that this service serves itself, if other datacenters reach it at another URL. */
  readonly publicUrl?: string;
}

export interface LimitsConfig {
  readonly fileBytes: number;
  readonly jsonBytes: number;
  readonly iconBytes: number;
  /** How many a listener of this process serves at a time. */
  readonly uploads: number;
  readonly downloads: number;
  readonly lists: number;
  /** Requests that order copies, clones, exports or moves, while they are being carried out or ordered. */
  readonly copies: number;
  /** Copies that are followed, line by line, as they go. */
  readonly watches: number;
  /** Answers that another datacenter is asked for: what a copy would bring. */
  readonly plans: number;
  /** The part of each of these that one account may have, else one link, else one address. */
  readonly share: number;
  /** How many of each only operators get, on the main port. */
  readonly operatorPlaces: number;
  /** For each account, in each process; 0: no limit. */
  readonly accountRequestsPerSecond: number;
}

/** The proxy in front that sends local files itself. */
export interface AccelRedirectConfig {
  /** Begins and ends with a slash: where the proxy, and nobody else, finds the folder of local storage. */
  readonly prefix: string;
  /** Its addresses, or ranges of them. */
  readonly proxies: readonly string[];
}

export interface Config extends Listener, CreateFromVmKeys {
  readonly logLevel: LogLevel;
  readonly mode: Mode;
  readonly authType: AuthType;
  readonly databaseType: DatabaseType;
  readonly storageTypes: readonly StorageType[];
  /** Always there in `dc` mode. */
  readonly datacenterName?: string;
  /** What it was called until now. */
  readonly formerDatacenterName?: string;
  /** Always there in `dc` mode. */
  readonly adminUuid?: string;
  /** The Server header. */
  readonly serverName: string;
  readonly allowInsecure: boolean;
  /** Absent: the service knows no channels. */
  readonly channels?: readonly ChannelConfig[];
  /** User name to public keys in OpenSSH form. */
  readonly authKeys: Readonly<Record<string, readonly string[]>>;
  /** Absent: no bearer tokens are accepted. */
  readonly tokens?: TokensConfig;
  /** Datacenters that are read through their main port, unsigned; this one is never among them. */
  readonly imgapiUrlFromDatacenter: Readonly<Record<string, string>>;
  readonly adminIp?: string;
  readonly instanceUuid?: string;
  readonly serverUuid?: string;
  readonly serviceName: string;
  /** Always there if `databaseType` is postgres. */
  readonly postgres?: PostgresConfig;
  /** Always there if `storageTypes` names s3. */
  readonly s3?: S3Config;
  /** Everything the service keeps on this machine is below it. */
  readonly dataDir: string;
  /** Where clients reach the main port, if not at the host in the Host header. */
  readonly publicUrl?: string;
  readonly accounts: AccountsConfig;
  /** The directory that holds the accounts; absent: `accounts.file` does, or there are none. */
  readonly ufds?: UfdsConfig;
  /** Used if `storageTypes` names it. */
  readonly manta?: MantaConfig;
  /** Used if `databaseType` names it. */
  readonly moray?: MorayConfig;
  readonly links: LinksConfig;
  readonly copies: CopiesConfig;
  readonly pulls: PullsConfig;
  readonly limits: LimitsConfig;
  /** `keepDeletedSeconds`: how long a deleted image can be restored; 0: not at all. */
  readonly images: { readonly keepDeletedSeconds: number };
  /** `acceptance`: whether what others share with an account waits for it, unless the account has said itself. */
  readonly shares: { readonly acceptance: Acceptance };
  /** What each account may keep here, unless operators gave it numbers of its own; absent: as much as there is room for. */
  readonly quotas: { readonly images?: number; readonly bytes?: number };
  /**
   * `quotaBytes`: what local storage may take in all; absent: the disk is the limit. `headroomBytes`: what image files
   * always leave free on the disk, for documents. `accelRedirect`: absent unless a proxy sends local files itself.
   */
  readonly storage: {
    readonly quotaBytes?: number;
    readonly headroomBytes: number;
    readonly accelRedirect?: AccelRedirectConfig;
  };
  /** `leaseSeconds`: after so long, another process takes over a task whose process died. */
  readonly tasks: { readonly leaseSeconds: number };
  /** `graceSeconds`: how old unreferenced staging must be before it is removed. */
  readonly sweep: { readonly intervalSeconds: number; readonly graceSeconds: number };
  /** How all stored files are read again from time to time, to find those that are damaged. */
  readonly scrub: {
    /** From the end of a pass to the next; 0: only when an operator asks. */
    readonly intervalSeconds: number;
    /** 0: as fast as it goes. */
    readonly bytesPerSecond: number;
    /** Whether what is damaged is fetched from a linked datacenter. */
    readonly repair: boolean;
    /** For how long damaged bytes are kept aside. */
    readonly keepDays: number;
  };
  /** `keepDays`: for how long it can be read what happened to an image. */
  readonly events: { readonly keepDays: number };
  /** `write`: whether the console for people may change anything, and not only show it. */
  readonly console: { readonly write: boolean };
  /** Who is told of copies and fan-outs that ended. */
  readonly webhooks: readonly WebhookConfig[];
  /** Absent: no metrics listener. */
  readonly metrics?: Listener;
  /** For each listener. */
  readonly connections: ConnectionsConfig;
  /**
   * `idleSeconds`: an upload fails if no byte arrived for so long; `keepSeconds`: what it left is kept, to go on with;
   * `lateMd5Bytes`: see `images/files/late-md5.ts`.
   */
  readonly uploads: {
    readonly idleSeconds: number;
    readonly keepSeconds: number;
    readonly lateMd5Bytes: number;
  };
  /** `seconds`: how long the process may take to end after a SIGTERM, whatever is open. */
  readonly shutdown: { readonly seconds: number };
  /** Processes on this machine; absent: one, without a supervisor. */
  readonly workers?: number;
  /** A worker whose event loop stands still for so long is killed. */
  readonly workerSilenceSeconds: number;
  /** `allowPrivateAddresses`: whether operators may import from loopback, link-local and private addresses. */
  readonly sources: { readonly allowPrivateAddresses: boolean };
}

/** For functions that need only the configuration of the service. */
export interface WithConfig {
  readonly config: Config;
}
