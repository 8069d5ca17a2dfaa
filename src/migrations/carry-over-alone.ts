/**
 * Carries the documents over from a store that does not note what changes. So it is fenced all the while, by the only
 * process that uses it.
 */
import { LeaseLostError } from '#lib/documents/lease.ts';
import { type CarriedOver, DocumentsCopy } from './documents-copy.ts';
import { countAll, movedBuckets } from './documents-plan.ts';
import { Progress } from './progress.ts';
import { type Move, switchOver } from './switch-over.ts';

const LONGEST_MS = 24 * 3600_000;
const PROGRESS_MS = 5000;

export async function carryOverAlone(move: Move): Promise<CarriedOver> {
  const { service, documents, order, target } = move;
  const total = await countAll(documents);
  const { log } = service;
  await new Progress(service, order).now({ phase: 'switching', total, done: 0 });
  const copy = new DocumentsCopy({
    ...{ buckets: movedBuckets(documents), target: target.store, changes: undefined },
    onProgress: every(PROGRESS_MS, (done) => log.info({ done, total }, 'the documents are being moved')),
  });
  // The task's lease is a document too, and cannot be renewed meanwhile; nobody can take the task over either.
  const signal = unlessLost(move.signal);
  return switchOver(
    { ...move, signal },
    async (behind, limited) => {
      await copy.make(behind, limited);
      await copy.compare(behind, limited);
      return copy.finish(behind, limited);
    },
    LONGEST_MS,
  );
}

/** A signal that aborts as the other does, but not because a lease was lost. */
function unlessLost(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const onAbort = (): void => {
    if (!(signal.reason instanceof LeaseLostError)) controller.abort(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return controller.signal;
}

function every(milliseconds: number, tell: (done: number) => void): (done: number) => void {
  let last = performance.now();
  return (done) => {
    if (performance.now() - last < milliseconds) return;
    last = performance.now();
    tell(done);
  };
}
