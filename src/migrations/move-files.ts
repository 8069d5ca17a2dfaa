/**
 * Moves the files of all images to another store, as change-stor does with one: each is copied, compared with its record,
 * and read there from then on. What arrives meanwhile goes to the new store by itself. Going through the images again
 * finds only what is left, so this is also how it goes on after a failure or in another process.
 */
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { cutText } from '#lib/text/cut-text.ts';
import { moveImage } from '../images/moving/move-image.ts';
import type { Service } from '../service/service.ts';
import { type FilesAt, filesAt, objectsAt } from './files-plan.ts';
import { moveArchive } from './move-archive.ts';
import { endMigration, type MigrationOrder } from './orders.ts';
import { Progress } from './progress.ts';

/** Images at once. */
const AT_ONCE = 3;
const MOST_FAILURES = 100;

export async function moveFiles(service: Service, order: MigrationOrder, signal: AbortSignal): Promise<void> {
  const { from, to, nonce, kind } = order;
  const target = service.storages.named(to);
  const run = new FilesRun(service, order, target, signal);
  run.start(await filesAt(service, from));
  for await (const piece of service.store.scan(IMAGES, {}, { signal })) {
    for (const { value } of piece) if (objectsAt(value, from).length > 0) await run.take(value);
  }
  await run.end();
  await moveArchive(service, service.storages.named(from), target, signal);
  const left = await filesAt(service, from);
  const failed = run.failed.slice(0, MOST_FAILURES);
  await endMigration(
    service.store,
    { kind, nonce },
    {
      ...{ state: run.failed.length === 0 && left.images === 0 ? 'succeeded' : 'failed', done: run.done, failed },
      ...(left.images > 0 && { error: `${left.images} images still have files in "${from}"; order it again` }),
      bytes_done: run.bytes,
    },
  );
}

class FilesRun {
  readonly failed: { what: string; error: string }[] = [];
  done = 0;
  bytes = 0;
  readonly #service: Service;
  readonly #order: MigrationOrder;
  readonly #target: ObjectStore;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #moving = new Set<Promise<void>>();

  constructor(service: Service, order: MigrationOrder, target: ObjectStore, signal: AbortSignal) {
    this.#service = service;
    this.#order = order;
    this.#target = target;
    this.#signal = signal;
    this.#progress = new Progress(service, order);
  }

  /** What earlier runs of the order have moved counts as done. */
  start({ images, bytes }: FilesAt): void {
    const { total, bytes_total: all = 0 } = this.#order;
    this.done = Math.max(0, total - images);
    this.bytes = Math.max(0, all - bytes);
  }

  /** Begins with an image, once few enough others are under way. */
  async take(record: ImageRecord): Promise<void> {
    this.#signal.throwIfAborted();
    const moving = this.#move(record).finally(() => this.#moving.delete(moving));
    this.#moving.add(moving);
    if (this.#moving.size >= AT_ONCE) await Promise.race(this.#moving);
  }

  async end(): Promise<void> {
    await Promise.all(this.#moving);
    this.#signal.throwIfAborted();
    await this.#progress.settled();
  }

  async #move(record: ImageRecord): Promise<void> {
    const { uuid } = record;
    const bytes = objectsAt(record, this.#order.from).reduce((sum, { size }) => sum + size, 0);
    const request = { uuid, viewer: { account: undefined } };
    try {
      await moveImage(this.#service, request, this.#target, {
        ...{ caller: this.#signal, stop: this.#signal },
        evenDeleted: true,
      });
      this.done += 1;
      this.bytes += bytes;
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#service.log.error({ err: error, image: uuid }, 'the files of an image could not be moved');
      this.failed.push({
        what: `image ${uuid}`,
        error: cutText(error instanceof Error ? error.message : String(error)),
      });
    }
    this.#progress.note({ done: this.done, bytes_done: this.bytes });
  }
}
