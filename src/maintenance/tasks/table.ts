/**
 * The background tasks of a datacenter. Each is run by one process of the datacenter at a time, whichever claims it.
 * Work that a process does only for itself (its transfers, its streams) is not a task.
 */

import { expireJobs } from '#lib/documents/expire-jobs.ts';
import { expireLogins } from '../../console/logins.ts';
import { FAN_OUTS } from '../../copies/fan-out/model.ts';
import { expireCopies } from '../../copies/orders/expiry.ts';
import { tellPullEnds } from '../../copies/orders/pull-ends.ts';
import { type CountDelivery, deliverTo } from '../../copies/webhooks/deliver.ts';
import { expireMessages } from '../../copies/webhooks/upkeep.ts';
import { expireLinkDocuments } from '../../datacenters/links/link-tokens.ts';
import { refreshLinkHealth } from '../../datacenters/links/list-datacenters.ts';
import { undoAbandonedClones } from '../../images/cloning/clone-journal.ts';
import { purgeExpired } from '../../images/deleted/purge.ts';
import { expireEvents } from '../../images/events/expire-events.ts';
import { archiveManifests } from '../../images/files/archive.ts';
import { compareArchive } from '../../images/files/compare-archive.ts';
import { removeFileHashes } from '../../images/files/file-hashes.ts';
import { removeFormerObjects } from '../../images/files/former-objects.ts';
import { completeMd5s } from '../../images/files/late-md5.ts';
import { removePieceLists } from '../../images/files/piece-lists.ts';
import { resumeMoves } from '../../images/moving/move-image.ts';
import { expirePlaceholders } from '../../images/record/placeholder-expiry.ts';
import { finishDeletes } from '../../images/record/tombstones.ts';
import { bindLateShares } from '../../images/sharing/shares.ts';
import { expireUploads } from '../../images/uploads/uploads.ts';
import { IMAGE_JOBS } from '../../machines/model.ts';
import { carryOutMigrations } from '../../migrations/carry-out.ts';
import { isReadDirectly } from '../../pulls/pull-link.ts';
import { reapPulls } from '../../pulls/reaper.ts';
import type { Service } from '../../service/service.ts';
import { removeKept } from '../scrub/kept.ts';
import { mendFiles } from '../scrub/mend.ts';
import { type ScrubObserver, unobserved } from '../scrub/observer.ts';
import { scrub } from '../scrub/scrub.ts';
import { carryOutSweep, planSweep, recoverPlacements } from '../sweeper.ts';
import type { Task } from './task.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Who counts what the tasks do. */
interface Watched {
  /** The passes over all files. */
  readonly scrubs: ScrubObserver;
  /** Messages to webhooks. */
  readonly deliveries: CountDelivery;
}

const UNWATCHED: Watched = { scrubs: unobserved, deliveries: () => {} };

export function serviceTasks(service: Service, { scrubs, deliveries }: Watched = UNWATCHED): Task[] {
  const sweepMs = service.config.sweep.intervalSeconds * SECOND;
  return [
    {
      name: 'recover-placements',
      what: 'finishes or undoes the placing of files that was interrupted by a crash',
      periodMs: 10 * SECOND,
      run: () => counted(recoverPlacements(service)),
    },
    {
      name: 'complete-md5s',
      what: 'computes the MD5 of large files, which is left for after the answer to an upload',
      periodMs: 5 * SECOND,
      run: (signal) => counted(completeMd5s(service, signal)),
    },
    {
      name: 'resume-moves',
      what: 'goes on with moves to another store whose process died or stopped',
      periodMs: 10 * SECOND,
      run: (signal) => counted(resumeMoves(service, signal)),
    },
    {
      name: 'remove-former-objects',
      what: 'removes what images left in a store when they were moved to another one',
      periodMs: 10 * SECOND,
      run: () => counted(removeFormerObjects(service, (image, object) => isReadDirectly(service, image, object))),
    },
    {
      name: 'finish-deletes',
      what: 'removes what is left of images whose deletion was interrupted by a crash',
      periodMs: 10 * SECOND,
      run: () => counted(finishDeletes(service)),
    },
    {
      name: 'purge-deleted',
      what: 'removes deleted images for good when they can be restored no longer',
      periodMs: 30 * SECOND,
      run: () => counted(purgeExpired(service)),
    },
    {
      name: 'undo-abandoned-clones',
      what: 'removes what was left by clones that a crash interrupted',
      periodMs: 10 * SECOND,
      run: () => counted(undoAbandonedClones(service)),
    },
    {
      name: 'bind-late-shares',
      what: 'binds shares to accounts that appeared in the directory later',
      periodMs: 5 * SECOND,
      run: () => counted(bindLateShares(service)),
    },
    {
      name: 'archive-manifests',
      what: 'archives the manifests of images that have changed',
      periodMs: MINUTE,
      run: (signal) => counted(archiveManifests(service, signal)),
    },
    {
      name: 'compare-archive',
      what: 'finds images that something else has changed, of which the archive has another manifest',
      periodMs: DAY,
      run: (signal) => counted(compareArchive(service, signal)),
    },
    {
      name: 'expire-placeholders',
      what: 'removes placeholders of images that were never made from their machine',
      periodMs: 30 * MINUTE,
      run: () => counted(expirePlaceholders(service)),
    },
    {
      name: 'expire-uploads',
      what: 'removes what uploads that nobody goes on with have staged',
      periodMs: 5 * MINUTE,
      run: () => counted(expireUploads(service)),
    },
    {
      name: 'expire-fan-outs',
      what: 'removes orders to several datacenters that ended long ago',
      periodMs: 30 * MINUTE,
      run: () => counted(expireJobs(service, FAN_OUTS, service.config.copies.keepFinishedSeconds)),
    },
    {
      name: 'expire-image-jobs',
      what: 'removes jobs of images from machines that ended long ago',
      periodMs: 30 * MINUTE,
      run: () => counted(expireJobs(service, IMAGE_JOBS, service.config.copies.keepFinishedSeconds)),
    },
    {
      name: 'refresh-link-health',
      what: 'checks the links to other datacenters',
      periodMs: 5 * MINUTE,
      async run(signal) {
        await refreshLinkHealth(service, signal);
        return undefined;
      },
    },
    {
      name: 'tell-pull-ends',
      what: 'tells sources which transfers have ended, so they can release the bytes',
      periodMs: 5 * SECOND,
      run: (signal) => counted(tellPullEnds(service, signal)),
    },
    {
      name: 'expire-console-logins',
      what: 'removes logins at the console that have expired',
      periodMs: 30 * MINUTE,
      run: () => counted(expireLogins(service)),
    },
    {
      name: 'expire-link-documents',
      what: 'removes expired link tokens and nonces',
      periodMs: MINUTE,
      run: () => counted(expireLinkDocuments(service)),
    },
    {
      name: 'migrate-documents',
      what: 'moves the documents to another engine when an operator has ordered it',
      periodMs: 5 * SECOND,
      run: (signal) => counted(carryOutMigrations(service, 'documents', signal)),
    },
    {
      name: 'migrate-files',
      what: 'moves the files of all images to another store when an operator has ordered it',
      periodMs: 5 * SECOND,
      run: (signal) => counted(carryOutMigrations(service, 'files', signal)),
    },
    {
      name: 'scrub-files',
      what: 'reads all stored files again when a pass is due, and notes which are damaged',
      periodMs: 5 * SECOND,
      run: (signal) => scrub(service, scrubs, signal),
    },
    {
      name: 'mend-files',
      what: 'fetches the right bytes of damaged files from a linked datacenter',
      periodMs: 5 * SECOND,
      run: (signal) => counted(mendFiles(service, scrubs, signal)),
    },
    {
      name: 'remove-quarantined',
      what: 'removes damaged bytes that were kept aside long enough',
      periodMs: sweepMs,
      async run() {
        const days = await removeKept(service);
        return days.length > 0 ? { days } : undefined;
      },
    },
    {
      name: 'sweep-staging',
      what: 'removes staged bytes that no upload or copy refers to',
      periodMs: sweepMs,
      async run() {
        const plan = await planSweep(service);
        if (plan.sessions.length + plan.leftovers.length === 0) return undefined;
        const { sessions, leftovers, bytes } = await carryOutSweep(service, plan);
        return { sessions: [...sessions, ...leftovers].map(({ session }) => session), bytes };
      },
    },
    {
      name: 'reap-pulls',
      what: 'removes expired pull links',
      periodMs: sweepMs,
      async run(signal) {
        const { objects, bytes, failed } = await reapPulls(service, { signal });
        return objects.length + failed.length > 0
          ? { objects: objects.map(({ path }) => path), bytes, failed }
          : undefined;
      },
    },
    {
      name: 'remove-piece-lists',
      what: 'removes the hashes of the pieces of files that are gone',
      periodMs: sweepMs,
      run: () => counted(removePieceLists(service)),
    },
    {
      name: 'remove-file-hashes',
      what: 'removes the notes by which bytes that are here already are found, of files that are gone',
      periodMs: sweepMs,
      run: () => counted(removeFileHashes(service)),
    },
    {
      name: 'expire-events',
      what: 'removes events of images when the days for which they are kept are over',
      periodMs: sweepMs,
      run: (signal) => counted(expireEvents(service, signal)),
    },
    {
      name: 'expire-webhook-messages',
      what: 'removes messages of webhooks that were given up long ago, or that nobody wants any more',
      periodMs: sweepMs,
      run: () => counted(expireMessages(service)),
    },
    ...service.config.webhooks.map((hook) => ({
      name: `deliver-webhook-${hook.name}`,
      what: `tells the webhook "${hook.name}" of copies that ended`,
      periodMs: 5 * SECOND,
      run: (signal: AbortSignal) => counted(deliverTo(service, hook, deliveries, signal)),
    })),
    {
      name: 'expire-copies',
      what: 'removes old finished orders and what failed copies left behind',
      periodMs: sweepMs,
      async run() {
        const report = await expireCopies(service, { dryRun: false });
        return report.placeholders.length + report.orders.length > 0 ? report : undefined;
      },
    },
  ];
}

async function counted(work: Promise<number>): Promise<{ readonly count: number } | undefined> {
  const count = await work;
  return count > 0 ? { count } : undefined;
}
