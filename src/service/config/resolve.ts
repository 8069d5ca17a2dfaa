/** Makes the {@link Config} from a checked configuration: adds the defaults that depend on other keys, absolute paths. */
import { join, resolve } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { type GivenBandwidth, resolveBandwidth } from './bandwidth.ts';
import { type Config, type CopiesConfig, type Listener, LOG_LEVELS, type LogLevel } from './config.ts';
import { type GivenCreateFromVm, resolveCreateFromVm } from './create-from-vm.ts';
import type { MorayConfig } from './moray.ts';
import type { JsonObject } from './read-file.ts';
import { resolveTokens } from './tokens.ts';
import { isUnused } from './unused.ts';

/** The port at which Triton's monitoring looks for the metrics of a datacenter's IMGAPI. */
const TRITON_METRICS_PORT = 8881;

/** A configuration that conforms to the schema, with the schema's defaults. */
type Checked = Omit<
  Config,
  'serverName' | 'accounts' | 'copies' | 'sources' | 'moray' | 'logLevel' | 'createFromVm'
> & {
  readonly copies: Omit<CopiesConfig, 'bandwidth'> & { readonly bandwidth: Readonly<Record<string, GivenBandwidth>> };
  readonly createFromVm: GivenCreateFromVm;
  readonly logLevel: LogLevel | number;
  /** Templates render its port as a text. */
  readonly moray?: Omit<MorayConfig, 'port'> & { readonly port: number | string };
  readonly serverName?: string;
  readonly accounts: Omit<Config['accounts'], 'file'> & { readonly file?: string };
  readonly sources: Partial<Config['sources']>;
};

/** @param checked has passed {@link applySchema} without problems */
export function resolveConfig(checked: JsonObject): Config {
  const known = Object.fromEntries(Object.entries(checked).filter(([key]) => !isUnused(key)));
  const { ufds, moray, ...given } = known as unknown as Checked;
  const dataDir = resolve(given.dataDir);
  const metrics = given.metrics ?? metricsOfDatacenter(given);
  return deepFreeze({
    ...given,
    dataDir,
    logLevel: levelOf(given.logLevel),
    serverName: given.serverName ?? `imgapi/${packageJson.version}`,
    accounts: { ...given.accounts, file: resolve(given.accounts.file ?? join(dataDir, 'accounts.json')) },
    copies: { ...given.copies, bandwidth: resolveBandwidth(given.copies.bandwidth) },
    sources: { allowPrivateAddresses: given.sources.allowPrivateAddresses ?? given.mode !== 'public' },
    createFromVm: resolveCreateFromVm(given.createFromVm, dataDir),
    imgapiUrlFromDatacenter: otherDatacenters(given),
    ...(ufds && given.mode === 'dc' && given.accounts.file === undefined && { ufds }),
    ...(moray && { moray: { ...moray, port: Number(moray.port) } }),
    ...(given.manta && { manta: { ...given.manta, key: resolve(given.manta.key) } }),
    webhooks: given.webhooks.map((hook) => ({ ...hook, secretFile: resolve(hook.secretFile) })),
    ...(given.tokens && { tokens: resolveTokens(given.tokens) }),
    ...(metrics && { metrics }),
  });
}

/** bunyan counts them in tens. */
function levelOf(level: LogLevel | number): LogLevel {
  return typeof level === 'number' ? (LOG_LEVELS[level / 10 - 1] ?? 'info') : level;
}

function metricsOfDatacenter({ mode, adminIp }: Checked): Listener | undefined {
  return mode === 'dc' && adminIp !== undefined ? { address: adminIp, port: TRITON_METRICS_PORT } : undefined;
}

/** All datacenters of a cloud may be given the same map, which then includes their own name. */
function otherDatacenters({ datacenterName, imgapiUrlFromDatacenter }: Checked): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(imgapiUrlFromDatacenter).filter(([name]) => name !== datacenterName));
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
