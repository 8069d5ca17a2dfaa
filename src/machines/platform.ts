/** Whether a node's platform is new enough, compared as the numbers that releases are made of. */
import { isObject } from '#lib/manifest/fields.ts';
import type { CreateFromVmKeys } from '../service/config/create-from-vm.ts';

export interface Platform {
  /** `7.0`: numbers and dots. */
  readonly release: string;
  /** `20130917T001310Z`; empty if it is not known. */
  readonly stamp: string;
}

/** Of nodes that were set up before they said so. */
const OLDEST = '6.5';

/** @param server as CNAPI describes it */
export function platformOf(server: Readonly<Record<string, unknown>>): Platform {
  const { sysinfo, current_platform: stamp } = server;
  const release = isObject(sysinfo) ? sysinfo['SDC Version'] : undefined;
  return {
    release: typeof release === 'string' && /^\d+(\.\d+)*$/.test(release) ? release : OLDEST,
    stamp: typeof stamp === 'string' && /^\d{8}T\d{6}Z$/.test(stamp) ? stamp : '',
  };
}

export function isOlder(platform: Platform, [release, stamp]: CreateFromVmKeys['minImageCreationPlatform']): boolean {
  const difference = compareReleases(platform.release, release);
  return difference === 0 ? platform.stamp < stamp : difference < 0;
}

function compareReleases(one: string, other: string): number {
  const [a, b] = [one, other].map((release) => release.split('.').map(Number));
  for (let i = 0; i < Math.max(a?.length ?? 0, b?.length ?? 0); i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
