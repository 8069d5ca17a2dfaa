/** How the datacenter stands, in numbers: what operators are to be told of before somebody asks for it. */
import { COPY_STATES, type CopyState } from '#lib/api/copy-states.ts';
import type { ScrubStatus } from '#lib/api/schemas/maintenance.ts';
import { COPIES } from '../../copies/documents/model.ts';
import type { LinkRecord } from '../../datacenters/links/documents.ts';
import { allLinks } from '../../datacenters/links/links.ts';
import { promptFree } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';
import { scrubStatus } from '../scrub/state.ts';
import { serviceTasks } from '../tasks/table.ts';
import { TASKS, type TaskRecord } from '../tasks/task.ts';

export interface State {
  /** Milliseconds since the epoch, by the database's clock. */
  readonly at: number;
  /** Orders that are kept. */
  readonly copies: ReadonlyMap<CopyState, number>;
  /** Orders that failed within {@link LATELY_MS}, by their failure's code. */
  readonly failed: ReadonlyMap<string, number>;
  /** How long the oldest order has not ended, in seconds. */
  readonly oldestCopy: number;
  readonly links: readonly LinkRecord[];
  /** Bytes, by the store's name, of stores that can tell. */
  readonly free: ReadonlyMap<string, number>;
  /** By the task's name; those that have run. */
  readonly tasks: ReadonlyMap<string, TaskRecord>;
  readonly scrub: ScrubStatus;
}

/** Failures are counted for so long: without an end, an alert would stay until the orders expire. */
const LATELY_MS = 3_600_000;
/** More failures than this within an hour say nothing new. */
const MOST_FAILED = 1000;

export async function countState(service: Service, signal: AbortSignal): Promise<State> {
  const at = service.store.now();
  const [copies, failed, oldestCopy, links, free, tasks, scrub] = await Promise.all([
    countCopies(service, signal),
    countFailed(service, at, signal),
    oldestLive(service, at, signal),
    allLinks(service),
    freeBytes(service),
    taskRecords(service),
    scrubStatus(service),
  ]);
  return { at, copies, failed, oldestCopy, links, free, tasks, scrub };
}

async function countCopies({ store }: Service, signal: AbortSignal): Promise<ReadonlyMap<CopyState, number>> {
  const counts = new Map<CopyState, number>();
  for (const state of COPY_STATES) {
    counts.set(state, await store.count(COPIES, { op: 'eq', field: 'state', value: state }, { signal }));
  }
  return counts;
}

async function countFailed({ store }: Service, now: number, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const since = new Date(now - LATELY_MS).toISOString();
  const filter = {
    op: 'and',
    of: [
      { op: 'eq', field: 'state', value: 'failed' },
      { op: 'ge', field: 'finished_at', value: since },
    ],
  } as const;
  const counts = new Map<string, number>();
  for (const { value } of await store.find(COPIES, { filter, limit: MOST_FAILED }, { signal })) {
    const code = value.error?.code ?? 'unknown';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

async function oldestLive({ store }: Service, now: number, signal: AbortSignal): Promise<number> {
  const filter = { op: 'eq', field: 'live', value: true } as const;
  const oldest = { filter, sort: { field: 'created_at', order: 'asc' }, limit: 1 } as const;
  const [found] = await store.find(COPIES, oldest, { signal });
  return found ? Math.max(0, (now - Date.parse(found.value.created_at)) / 1000) : 0;
}

async function freeBytes({ storages }: Service): Promise<ReadonlyMap<string, number>> {
  const free = new Map<string, number>();
  const all = [...storages];
  const found = await Promise.all(all.map(promptFree));
  for (const [index, { name }] of all.entries()) {
    const bytes = found[index];
    if (bytes !== undefined) free.set(name, bytes);
  }
  return free;
}

async function taskRecords(service: Service): Promise<ReadonlyMap<string, TaskRecord>> {
  const names = serviceTasks(service).map(({ name }) => name);
  return new Map((await service.store.getMany(TASKS, names)).map(({ key, value }) => [key, value]));
}
