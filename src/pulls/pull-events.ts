/** That a linked datacenter reads a file. On whose behalf it does so there is not told. */
import { LRUCache } from 'lru-cache';
import type { Write } from '#lib/documents/store.ts';
import type { FileRecord } from '#lib/manifest/record.ts';
import { eventWrites } from '../images/events/event.ts';
import type { Service } from '../service/service.ts';

export interface Pull {
  readonly uuid: string;
  /** The owner of the image. */
  readonly account: string | undefined;
  readonly datacenter: string;
  readonly requestId: string;
}

export function pullEvents(
  service: Pick<Service, 'store'>,
  { uuid, account: owner, datacenter, requestId }: Pull,
  { sha1, size }: Pick<FileRecord, 'sha1' | 'size'>,
): Write[] {
  const image = { uuid, ...(owner !== undefined && { owner }) };
  return eventWrites(service, image, { datacenter, request_id: requestId }, [
    { kind: 'pull', details: { file: 'file', sha1, size } },
  ]);
}

/** Each is an event that is kept for months, and to begin anew costs the other side nothing. */
const AGAIN_MS = 60_000;

/** Notes pulls without a pull link, of which nothing else is written. */
export class PullNotes {
  readonly #service: Pick<Service, 'store' | 'log'>;
  readonly #noted = new LRUCache<string, true>({ max: 10_000, ttl: AGAIN_MS });

  constructor(service: Pick<Service, 'store' | 'log'>) {
    this.#service = service;
  }

  /** The same file again within a minute is the same pull. Never keeps anybody from reading. */
  async note(pull: Pull, file: Pick<FileRecord, 'sha1' | 'size'>): Promise<void> {
    const { uuid: image, account = '', datacenter } = pull;
    const key = [datacenter, account, image, file.sha1].join(' ');
    if (this.#noted.has(key)) return;
    this.#noted.set(key, true);
    await this.#service.store.batch(pullEvents(this.#service, pull, file)).catch((err: unknown) => {
      this.#noted.delete(key);
      this.#service.log.warn({ err, image, datacenter }, 'the event of a pull could not be written');
    });
  }
}
