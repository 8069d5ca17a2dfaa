/** The background tasks of one process. Each is safe to run in several processes at once. */
import { expireCopies } from '../copies/orders/expiry.ts';
import { tellPullEnds } from '../copies/transfer/pull-ends.ts';
import { sessionsInUse } from '../copies/transfer/sessions-in-use.ts';
import { refreshLinkHealth } from '../datacenters/links/link-health.ts';
import { expireLinkDocuments } from '../datacenters/links/link-tokens.ts';
import { undoAbandonedClones } from '../images/cloning/clone-journal.ts';
import { archiveManifests } from '../images/files/archive.ts';
import { expirePlaceholders } from '../images/record/placeholder-expiry.ts';
import { finishDeletes } from '../images/record/tombstones.ts';
import { bindLateShares } from '../images/sharing/shares.ts';
import { reapPulls } from '../pulls/reaper.ts';
import type { Service } from '../service/service.ts';
import type { Task } from './periodic.ts';
import { carryOutSweep, planSweep, recoverPlacements } from './sweeper.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export function serviceTasks(service: Service): Task[] {
  const sweepInterval = service.config.sweep.intervalSeconds * SECOND;
  return [
    counted('recover-placements', 10 * SECOND, () => recoverPlacements(service)),
    counted('finish-deletes', 10 * SECOND, () => finishDeletes(service)),
    counted('undo-abandoned-clones', 10 * SECOND, () => undoAbandonedClones(service)),
    counted('bind-late-shares', 5 * SECOND, () => bindLateShares(service)),
    counted('archive-manifests', 5 * MINUTE, (signal) => archiveManifests(service, signal)),
    counted('expire-placeholders', 30 * MINUTE, () => expirePlaceholders(service)),
    {
      name: 'refresh-link-health',
      intervalMs: 5 * MINUTE,
      async run(signal) {
        await refreshLinkHealth(service, signal);
        return undefined;
      },
    },
    counted('tell-pull-ends', 5 * SECOND, (signal) => tellPullEnds(service, signal)),
    counted('expire-link-documents', MINUTE, () => expireLinkDocuments(service)),
    {
      name: 'sweep-staging',
      intervalMs: sweepInterval,
      async run() {
        const plan = await planSweep(service, sessionsInUse);
        if (plan.sessions.length + plan.leftovers.length === 0) return undefined;
        const { sessions, leftovers, bytes } = await carryOutSweep(service, plan, sessionsInUse);
        return { sessions: [...sessions, ...leftovers].map(({ session }) => session), bytes };
      },
    },
    {
      name: 'reap-pulls',
      intervalMs: sweepInterval,
      async run(signal) {
        const { objects, bytes, failed } = await reapPulls(service, { signal });
        return objects.length + failed.length > 0
          ? { objects: objects.map(({ path }) => path), bytes, failed }
          : undefined;
      },
    },
    {
      name: 'expire-copies',
      intervalMs: sweepInterval,
      async run() {
        const report = await expireCopies(service, { dryRun: false });
        return report.placeholders.length + report.orders.length > 0 ? report : undefined;
      },
    },
  ];
}

function counted(name: string, intervalMs: number, run: (signal: AbortSignal) => Promise<number>): Task {
  return {
    name,
    intervalMs,
    async run(signal) {
      const count = await run(signal);
      return count > 0 ? { count } : undefined;
    },
  };
}
