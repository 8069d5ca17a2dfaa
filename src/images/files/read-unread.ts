/**
 * Reads the bytes of a file that came by a link (`unread.ts`), once, and compares them with its record: then the record has
 * their MD5 as well, and the mark is gone; or the file is quarantined like any damaged one, and mended if somebody has its bytes.
 */
import type { Stored, Write } from '#lib/documents/store.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { Hashes } from '#lib/objects/object-store.ts';
import type { Service } from '../../service/service.ts';
import { changeRecord, type Decision } from '../record/change.ts';
import { FINDINGS, findingKey, findingOf, putFinding, type StoredFinding, withQuarantined } from './findings.ts';
import { followingMoves } from './following-moves.ts';
import { isUnread, withoutUnread } from './unread.ts';

/**
 * Returns the MD5; undefined if the bytes are wrong. @param also written with what the record gets
 * @throws what the store does; then the mark stays
 */
export async function readUnread(
  service: Service,
  record: ImageRecord,
  index: number,
  also: readonly Write[],
): Promise<string | undefined> {
  const { uuid } = record;
  const path = imageObjectPath(uuid, index === 0 ? 'file0' : 'file1');
  const is = await followingMoves(service, record, (current) =>
    service.storages.named(current.files?.[index]?.stor ?? '').hash(path),
  );
  await service.faults.reach('late-hash:computed');
  let md5: string | undefined;
  await changeRecord(
    service,
    uuid,
    async (current): Promise<Decision> => {
      md5 = undefined;
      const file = current.files?.[index];
      // It has got other bytes meanwhile, or somebody else was faster.
      if (!file || !isUnread(current, index) || file.sha1 !== record.files?.[index]?.sha1) return undefined;
      const read = withoutUnread(current, index);
      const wrong = wrongWith(file, is);
      if (wrong !== undefined) {
        const message = `${path} has ${wrong}`;
        service.log.error(
          { image: uuid, index, problem: message },
          'bytes that came by a link are not those of the image',
        );
        const known: Stored<StoredFinding> | undefined = await service.store.get(FINDINGS, findingKey(uuid, index));
        const fault = { status: 'hash', message, isServed: false } as const;
        const finding = findingOf(current, index, file, fault, known?.value, service.store.now());
        return { record: withQuarantined(read, index), also: [...also, putFinding(finding, known?.etag ?? null)] };
      }
      md5 = is.md5;
      const files = (read.files ?? []).map((one, at) => (at === index ? { ...one, contentMD5: is.md5 } : one));
      return { record: { ...read, files }, also };
    },
    { evenDeleted: true },
  );
  return md5;
}

function wrongWith({ sha1, sha256, size }: FileRecord, is: Hashes & { readonly size: number }): string | undefined {
  if (is.size !== size) return `${is.size} bytes, not ${size}`;
  if (is.sha1 !== sha1) return `sha1 ${is.sha1}, not ${sha1}`;
  return sha256 === undefined || is.sha256 === sha256 ? undefined : `sha256 ${is.sha256}, not ${sha256}`;
}
