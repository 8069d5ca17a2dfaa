/** The task that carries out what operators have ordered; a process that dies leaves it to the next one. */
import { cutText } from '#lib/text/cut-text.ts';
import type { Service } from '../service/service.ts';
import { endNotes } from './carry-over.ts';
import { moveDocuments } from './move-documents.ts';
import { moveFiles } from './move-files.ts';
import { endMigration, findMigration } from './orders.ts';

const KINDS = { documents: moveDocuments, files: moveFiles } as const;

/** Returns how many migrations there were. */
export async function carryOutMigrations(
  service: Service,
  kind: keyof typeof KINDS,
  signal: AbortSignal,
): Promise<number> {
  const order = await findMigration(service.store, kind);
  const changes = service.documents?.place.fence.changes;
  if (order?.state !== 'running') {
    if (order?.noting === true && changes) await endNotes(service, order, changes);
    return 0;
  }
  try {
    await KINDS[kind](service, order, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    service.log.error({ err: error, kind, to: order.to }, 'a migration failed');
    const reason = error instanceof Error ? error.message : String(error);
    await endMigration(service.store, order, { state: 'failed', error: cutText(reason) });
  }
  return 1;
}
