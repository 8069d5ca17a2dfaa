/**
 * Carries the documents over while all processes use them. They are copied and compared, and what changes meanwhile is
 * brought along until little is left; the rest is the matter of a moment in which calls wait.
 */
import type { Changes } from '#lib/documents/moving/changes.ts';
import type { Store } from '#lib/documents/store.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import type { Service } from '../service/service.ts';
import { type CarriedOver, DocumentsCopy } from './documents-copy.ts';
import { countAll, movedBuckets } from './documents-plan.ts';
import { type MigrationOrder, noteMigration } from './orders.ts';
import { Progress } from './progress.ts';
import { type Move, switchOver } from './switch-over.ts';

/** Changes that are few enough to be brought along while calls wait. */
const FEW = 200;
/** Milliseconds in which there must be so few. */
const CATCH_UP_MS = 600_000;

export async function carryOver(move: Move, changes: Changes): Promise<CarriedOver> {
  const { service, documents, order, source, target, signal } = move;
  const progress = new Progress(service, order);
  let total = 0;
  const copy = new DocumentsCopy({
    buckets: movedBuckets(documents),
    target: target.store,
    changes,
    onProgress: (done) => progress.note({ total, done: Math.min(total, done) }),
  });
  await noteMigration(service.store, order, { noting: true });
  try {
    await changes.note();
    for (const [phase, pass] of [
      ['copying', copy.make],
      ['comparing', copy.compare],
    ] as const) {
      total = await countAll(documents);
      await progress.now({ phase, total, done: 0 });
      await pass.call(copy, source.store, signal);
      await progress.settled();
    }
    await catchUp(copy, source.store, signal);
    await progress.now({ phase: 'switching' });
    await service.faults.reach('migrate:copied');
    return await switchOver(move, (behind, limited) => copy.finish(behind, limited));
  } finally {
    await endNotes(service, order, changes);
  }
}

async function catchUp(copy: DocumentsCopy, source: Store, signal: AbortSignal): Promise<void> {
  const limit = timeLimit(CATCH_UP_MS);
  try {
    await copy.follow(source, FEW, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new Error(`the documents change too fast: after ${CATCH_UP_MS / 60_000} minutes more than ${FEW} were left`);
  }
}

/** If it fails, the task does it later. */
export async function endNotes(service: Service, order: MigrationOrder, changes: Changes): Promise<void> {
  try {
    await changes.end();
    await noteMigration(service.store, order, { noting: false });
  } catch (err) {
    service.log.warn({ err }, 'the old store still notes what changes');
  }
}
