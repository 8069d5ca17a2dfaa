/** How images get from one datacenter to the other: each way leaves the same image there, or none. */

import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import { ALICE } from '../helpers/accounts.ts';
import type { Entry, Known } from './model.ts';
import type { Notebook, Place } from './notebook.ts';

const PATIENCE_MS = 60_000;

interface Way {
  readonly to: Place;
  readonly copy: Entry;
  /** What is there when it has come. */
  readonly there: Known;
  /** How often it is ordered until there is an answer. */
  readonly tries: number;
}

/** Few files are so large that an order that was lost would be missed. It takes longer than any request is on its way. */
const TRIES_OF_LARGE = 5;

/** Undefined if there is nothing to bring, or something was brought there before. */
async function begin(book: Notebook, entry: Entry): Promise<Way | undefined> {
  const known = await book.certain(entry);
  const to = book.random.pick(book.places.filter(({ name }) => name !== entry.place));
  if (known?.state !== 'active' || !known.sha1 || book.model.find(to.name, entry.uuid)) return undefined;
  const { sha1, icon } = known;
  const there: Known = { state: 'active', sha1, ...(icon !== undefined && { icon }) };
  // Without an answer it may come later, with the icon that the image has then, or with none if the image is gone.
  if (typeof icon === 'string') entry.icons = new Set([icon]);
  const late: Known = { state: 'active', sha1, ...(entry.icons && { icon: entry.icons }) };
  const possible = [undefined, late, { state: 'copying' }, { state: 'failed' }];
  const copy = book.model.add(to.name, ALICE, entry.uuid, possible);
  book.own.push(copy);
  return { to, copy, there, tries: book.contents.isLarge(sha1) ? TRIES_OF_LARGE : 1 };
}

/** The account orders the copy where it is to be. */
export async function copy(book: Notebook, entry: Entry): Promise<void> {
  const way = await begin(book, entry);
  if (!way) return;
  const { to, copy, there, tries } = way;
  const client = book.client(to.name);
  const order = () =>
    book.ask('copy', () => book.client(to.name).copyImageFromDc(entry.uuid, { datacenter: entry.place }));
  if (!(await book.insist(order, tries))) return;
  if (book.random.chance(0.2) && (await book.ask('cancel', () => client.cancelImageCopy(entry.uuid)))) return;
  await until(async () => {
    const status = await book.ask('status', () => book.client(to.name).getImageCopy(entry.uuid));
    if (status?.state === 'succeeded') {
      copy.possible = [there];
      if (status.bytes_not_fetched === status.bytes_total) book.count('copy of bytes that were here');
    }
    return status?.finished_at !== undefined;
  });
}

/** The account orders it where the image is. */
export async function fanOut(book: Notebook, entry: Entry): Promise<void> {
  const way = await begin(book, entry);
  if (!way) return;
  const { to, tries } = way;
  const client = book.client(entry.place);
  const options = { account: ALICE, datacenters: to.name, together: book.random.chance(0.5) };
  const order = () => book.ask('fan-out', () => book.client(entry.place).copyImageToDcs(entry.uuid, options));
  const ordered = await book.insist(order, tries);
  if (!ordered) return;
  if (book.random.chance(0.2) && (await book.ask('cancel', () => client.cancelFanOut(ordered.uuid)))) return;
  if ((await fanOutEnded(book, way, entry.place, ordered.uuid)) !== 'failed') return;
  const again = () => book.client(entry.place).retryFanOut(ordered.uuid, { account: ALICE, datacenter: to.name });
  if (await book.ask('fan-out again', again)) await fanOutEnded(book, way, entry.place, ordered.uuid);
}

/** How it has ended; undefined if that was not seen. */
async function fanOutEnded(
  book: Notebook,
  { copy, there }: Way,
  place: string,
  uuid: string,
): Promise<FanOut['state'] | undefined> {
  let state: FanOut['state'] | undefined;
  await until(async () => {
    state = (await book.ask('status', () => book.client(place).getFanOut(uuid)))?.state;
    if (state === 'succeeded') copy.possible = [there];
    return state !== undefined && state !== 'running';
  });
  return state;
}

/** Operators import it from a URL. */
export async function importRemote(book: Notebook, entry: Entry): Promise<void> {
  const way = await begin(book, entry);
  if (!way) return;
  const { to, copy, there, tries } = way;
  const source = book.place(entry.place).url(book.random);
  const order = () =>
    book.ask('import from a URL', () => book.operator(to.name).adminImportRemoteImage(entry.uuid, source));
  const ordered = await book.insist(order, tries);
  if (!ordered) return;
  await until(async () => {
    const job = await book.ask('status', () => book.operator(to.name).getJob(ordered.job_uuid));
    if (job?.execution === 'succeeded') copy.possible = [there];
    return job !== undefined && ['succeeded', 'failed'].includes(job.execution);
  });
}

async function until(isEnded: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && !(await isEnded())) await new Promise((resolve) => setTimeout(resolve, 100));
}
