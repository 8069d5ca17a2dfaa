/** What a process has under way when it is to be killed: a run says how much of it was hit. */
import type { Store } from '#lib/documents/store.ts';
import { TRANSFERS, type Transfer } from '#src/copies/documents/model.ts';
import { LATE_MD5S } from '#src/images/files/late-md5.ts';
import { MiB, type Site } from '../helpers/cloud.ts';
import { openDocumentsOf } from '../helpers/site-stores.ts';

export interface UnderWay {
  /** Copies of files that come in pieces, in this process or in another one that is to be killed. */
  readonly pieces: number;
  /** Of these, those that go on from what an earlier process has staged. */
  readonly resumed: number;
  /** Files of the datacenter whose MD5 is still to come. */
  readonly lateMd5s: number;
}

const NOTHING: UnderWay = { pieces: 0, resumed: 0, lateMd5s: 0 };
const IN_PIECES = 32 * MiB;
/** To look is no reason to wait for a database that is away. */
const PATIENCE_MS = 1000;

/** As the documents say right before; nothing if they cannot be read. @param processes all of the same datacenter */
export async function underWay(processes: readonly Site[]): Promise<UnderWay> {
  const [site] = processes;
  if (!site) return NOTHING;
  const late = new Promise<UnderWay>((resolve) => setTimeout(resolve, PATIENCE_MS, NOTHING).unref());
  const pids = processes.map(({ pid }) => `${pid}.`);
  return Promise.race([look(site, pids).catch(() => NOTHING), late]);
}

async function look(site: Site, pids: readonly string[]): Promise<UnderWay> {
  const store = await openDocumentsOf(site, [TRANSFERS, LATE_MD5S]);
  try {
    return await counted(store, pids);
  } finally {
    await store.close();
  }
}

async function counted(store: Store, pids: readonly string[]): Promise<UnderWay> {
  const running = (await store.find(TRANSFERS, {})).map(({ value }) => value).filter((one) => isOf(one, pids));
  const lateMd5s = await store.count(LATE_MD5S);
  return { pieces: running.length, resumed: running.filter(({ attempt }) => attempt > 1).length, lateMd5s };
}

/** Whether it has begun to come, in pieces or with the rest as one stream. What is linked stages nothing. */
function isOf({ state, total, staged, source, retry, lease }: Transfer, pids: readonly string[]): boolean {
  const isFromUrl = source.includes('://');
  const isInPieces = total > IN_PIECES && staged !== undefined && !isFromUrl && !retry.bad_hashes && !retry.no_ranges;
  return state === 'running' && isInPieces && pids.some((pid) => lease?.worker.startsWith(pid));
}
