/**
 * All that is cleaned up automatically, in one report: old pull links, staged bytes that nothing uses, and expired
 * copies. A dry run shows the same plan that a real run carries out.
 */
import type { CleanUpReport, StagedBytes } from '#lib/api/schemas/maintenance.ts';
import { expireCopies } from '../copies/orders/expiry.ts';
import { reapPulls } from '../pulls/reaper.ts';
import type { Service } from '../service/service.ts';
import { carryOutSweep, planSweep, type SweepPlan } from './sweeper.ts';

export interface CleanUpOptions {
  readonly dryRun: boolean;
  /** Whether to remove unused staged bytes whatever their age. */
  readonly eager: boolean;
  readonly signal: AbortSignal;
}

export async function cleanUp(service: Service, { dryRun, eager, signal }: CleanUpOptions): Promise<CleanUpReport> {
  const plan = await planSweep(service, { eager });
  return {
    dry_run: dryRun,
    pulls: await reapPulls(service, { dryRun, signal }),
    staging: reportOf(dryRun ? plan : await carryOutSweep(service, plan)),
    copies: await expireCopies(service, { dryRun }),
  };
}

function reportOf({ sessions, leftovers, bytes }: SweepPlan): CleanUpReport['staging'] {
  return { sessions: sessions.map(shown), leftovers: leftovers.map(shown), bytes };
}

function shown(found: SweepPlan['sessions'][number]): StagedBytes {
  return { ...found, mtime: found.mtime.toISOString() };
}
