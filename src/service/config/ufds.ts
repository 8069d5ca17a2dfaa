/** The section `ufds`, which IMGAPI and CloudAPI share: the directory of accounts. */
import type { UfdsOptions } from '#lib/accounts/ufds/options.ts';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import { readCaFile } from './ca-file.ts';

export interface UfdsConfig {
  readonly url: string;
  readonly bindDN: string;
  readonly bindPassword: string;
  /** The entry right below which the accounts are. */
  readonly base: string;
  /** PEM file of the CAs that may have signed the directory's certificate. */
  readonly caFile?: string;
  readonly serverName?: string;
  /** Absent: the certificate is verified if `caFile` says by whom. */
  readonly insecure?: boolean;
  readonly maxConnections: number;
  readonly connectSeconds: number;
  readonly timeoutSeconds: number;
  readonly idleSeconds: number;
}

/** @throws ConfigError if the CA file cannot be read */
export async function ufdsOptionsOf(ufds: UfdsConfig): Promise<UfdsOptions> {
  const { url, bindDN, bindPassword, base, maxConnections, serverName, caFile } = ufds;
  const ca = caFile === undefined ? undefined : await readCaFile('ufds.caFile', caFile);
  return {
    ...{ url, bindDN, bindPassword, base, maxConnections },
    tls: {
      insecure: isInsecure(ufds),
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { serverName }),
    },
    connectTimeout: ufds.connectSeconds * 1000,
    timeout: ufds.timeoutSeconds * 1000,
    idle: ufds.idleSeconds * 1000,
  };
}

/** UFDS's own certificate is signed by itself, and its clients have always taken it unseen. */
function isInsecure({ insecure, caFile }: UfdsConfig): boolean {
  return insecure ?? caFile === undefined;
}

/** What an operator should know about the way there. */
export function notesOnUfds(ufds: UfdsConfig): string[] {
  const url = new URL(ufds.url);
  const { protocol } = url;
  if (protocol === 'ldap:' && !isLoopback(bareHost(url))) {
    return ['ufds.url: ldap:// sends ufds.bindPassword in the clear; ldaps:// does not'];
  }
  if (protocol === 'ldaps:' && ufds.insecure === undefined && isInsecure(ufds)) {
    return ['ufds: the certificate of the directory is not verified; name its CA in ufds.caFile, or set ufds.insecure'];
  }
  return [];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || kindOfAddress(host) === 'loopback';
}
