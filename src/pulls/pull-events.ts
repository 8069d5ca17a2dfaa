/** That a linked datacenter reads a file. On whose behalf it does so there is not told. */
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

/** For bytes that are read without a pull link, of which nothing else is written. Never keeps anybody from reading. */
export async function notePull(
  service: Pick<Service, 'store' | 'log'>,
  pull: Pull,
  file: Pick<FileRecord, 'sha1' | 'size'>,
): Promise<void> {
  await service.store.batch(pullEvents(service, pull, file)).catch((err: unknown) => {
    service.log.warn(
      { err, image: pull.uuid, datacenter: pull.datacenter },
      'the event of a pull could not be written',
    );
  });
}
