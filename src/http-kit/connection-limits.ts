/** How many connections each listener may have: limited by the configuration and by the process's descriptors. */
import { readFileSync } from 'node:fs';
import type { ConnectionLimits } from './connections.ts';

/** Limits for the connections of clients, for each listener. */
export interface ConnectionsConfig {
  readonly max: number;
  /** Default: half of `max`. */
  readonly perAddress?: number;
  readonly idleSeconds: number;
}

/**
 * Which share of the descriptors each listener may take. The rest is for files, databases and outgoing connections.
 */
const SHARES = { main: 1 / 2, links: 1 / 4, metrics: 1 / 16 } as const;
export type ListenerKind = keyof typeof SHARES;

/** That of second descriptors of connections, by which the system sends files to them. */
const SENDING = 1 / 16;

/** Descriptors that a process has open before anybody connects. */
const OWN_DESCRIPTORS = 64;
const LEAST = 8;

/** @param descriptors how many the process may have open */
export function connectionLimits(
  config: ConnectionsConfig,
  kind: ListenerKind,
  descriptors = descriptorLimit(),
): Pick<ConnectionLimits, 'max' | 'perAddress' | 'idleMs'> {
  const affordable = Math.max(LEAST, Math.floor((descriptors - OWN_DESCRIPTORS) * SHARES[kind]));
  const max = Math.min(config.max, affordable);
  const perAddress = Math.min(max, config.perAddress ?? Math.ceil(max / 2));
  return { max, perAddress, idleMs: config.idleSeconds * 1000 };
}

/** How many downloads the system may send at once: each takes a descriptor more than one that is read and written. */
export function mostSentBySystem(descriptors = descriptorLimit()): number {
  return Math.max(0, Math.floor((descriptors - OWN_DESCRIPTORS) * SENDING));
}

let known: number | undefined;

function descriptorLimit(): number {
  known ??= askDescriptorLimit();
  return known;
}

/** node shows it only in its diagnostic report, which looks at much else, and Linux in a file. */
function askDescriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (soft !== undefined) return /^\d+$/.test(soft) ? Number(soft) : Number.POSITIVE_INFINITY;
  } catch {
    // Another system.
  }
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // Otherwise the report would look up the names of all peers.
  report.excludeNetwork = true;
  try {
    const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
    const soft = userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}
