/** Finds jobs, and decides which of them a caller sees: its own, and operators' jobs that make its images. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { seesWorkOn } from '../images/record/access.ts';
import { IMAGE_JOBS, type ImageJob } from './model.ts';

/** An image has one, unless it was deleted and another one was made under its UUID. */
const MOST_JOBS = 100;

export async function findJob({ store }: WithStore, uuid: string): Promise<ImageJob | undefined> {
  return (await store.get(IMAGE_JOBS, uuid))?.value;
}

/** Those of an image that the caller sees, newest first. `account` absent: an operator. */
export async function jobsOfImage(
  { store }: WithStore,
  image: string,
  account: string | undefined,
): Promise<ImageJob[]> {
  const filter = { op: 'eq', field: 'image', value: image } as const;
  const found = (await store.find(IMAGE_JOBS, { filter, limit: MOST_JOBS })).map(({ value }) => value);
  const jobs = found.toSorted((one, other) => (one.created_at < other.created_at ? 1 : -1));
  if (account === undefined || jobs.length === 0) return jobs;
  const record = (await store.get(IMAGES, image))?.value;
  return jobs.filter((job) => seesWorkOn(record, job, account));
}

/**
 * An image that was deleted while its node was at work on it must not come back with what the node brings.
 * @throws 409 Conflict
 */
export async function assertNotInTheMaking(service: WithStore, image: string): Promise<void> {
  const live = await liveJob(service, image);
  if (!live) return;
  const made = `image "${image}" was deleted while it was being made from machine "${live.vm}"`;
  throw new ApiError('Conflict', `${made}; its compute node has not ended its work on it yet`);
}

/**
 * A node brings what it makes under the UUID that it was told: until then the image keeps it, and no other image gets it.
 * @throws 409 ImageFileBusy, Conflict
 */
export async function assertMayRename(service: WithStore, image: string, to: string): Promise<void> {
  const live = await liveJob(service, image);
  if (live) throw new ApiError('ImageFileBusy', `image "${image}" is being made from machine "${live.vm}"; try again`);
  await assertNotInTheMaking(service, to);
}

/** The account that ordered the image from a machine, as long as its node is at work on it. */
export async function ordererOf(service: WithStore, image: string): Promise<string | undefined> {
  return (await liveJob(service, image))?.account;
}

async function liveJob(service: WithStore, image: string): Promise<ImageJob | undefined> {
  return (await jobsOfImage(service, image, undefined)).find(({ live }) => live);
}
