/**
 * Which images had a file with which sha256, to find bytes that need not be fetched again. What is noted here is a hint:
 * whoever finds an image by it looks at its record, and at the bytes.
 */
import type { Bucket, WithStore, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { type FileRecord, IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { isOwner, relationTo } from '../record/access.ts';
import { normalized, type StoredImage, servedImages } from '../record/load.ts';
import { isQuarantined } from './findings.ts';

interface FileHash {
  readonly sha256: string;
  readonly image: string;
  /** Which of the image's files. */
  readonly index: number;
}

export const FILE_HASHES: Bucket<FileHash> = {
  name: 'imgapi_file_hashes',
  version: 1,
  index: { sha256: { type: 'string' } },
};

/** How many images with the same bytes are looked at. */
const MOST_LOOKED_AT = 100;

/** Belongs in the batch in which the image gets the file. */
export function noteFileHash(image: string, index: number, { sha256 }: Pick<FileRecord, 'sha256'>): Write[] {
  if (sha256 === undefined) return [];
  const value: FileHash = { sha256, image, index };
  return [{ op: 'put', bucket: FILE_HASHES, key: `${sha256}.${image}.${index}`, value }];
}

export interface FileHere {
  readonly image: StoredImage;
  readonly index: number;
  readonly file: FileRecord;
}

/**
 * Files with these bytes that the account may read by their records alone, its own first: activated, not a placeholder, not
 * quarantined. What only other images open is left out: to look for that takes queries for each image, however many strangers
 * have the bytes.
 */
export async function filesWithHash(service: Service, sha256: string, account: string): Promise<FileHere[]> {
  const files = (await allWithHash(service, sha256)).filter(({ image: { value }, index }) => {
    const { activated, copy } = value;
    return activated && !copy && !isQuarantined(value, index) && relationTo(value, { account }) !== 'none';
  });
  const isForeign = ({ image }: FileHere): number => Number(!isOwner(image.value, account));
  return files.toSorted((one, other) => isForeign(one) - isForeign(other));
}

/** Files that have these bytes by their records, whoever may read them. */
export async function allWithHash(service: Service, sha256: string): Promise<FileHere[]> {
  const filter = { op: 'eq', field: 'sha256', value: sha256 } as const;
  const noted = (await service.store.find(FILE_HASHES, { filter, limit: MOST_LOOKED_AT })).map(({ value }) => value);
  const keys = [...new Set(noted.map(({ image }) => image))];
  const images = keys.length === 0 ? [] : servedImages(service, await service.store.getMany(IMAGES, keys));
  const known = new Map(images.map((image) => [image.key, image]));
  const files: FileHere[] = [];
  for (const { image: uuid, index } of noted) {
    const image = known.get(uuid);
    const file = image?.value.files?.[index];
    if (image && file?.sha256 === sha256) files.push({ image, index, file });
  }
  return files;
}

/** Removes the notes of files that are gone; returns how many. */
export async function removeFileHashes(service: WithStore): Promise<number> {
  let removed = 0;
  for await (const noted of service.store.scan(FILE_HASHES, {})) {
    const images = await service.store.getMany(IMAGES, [...new Set(noted.map(({ value }) => value.image))]);
    const records = new Map(images.map((image) => [image.key, normalized(image).value]));
    for (const { key, value, etag } of noted) {
      if (isTrue(records.get(value.image), value)) continue;
      await unlessChanged(service.store.batch([{ op: 'del', bucket: FILE_HASHES, key, ifEtag: etag }]));
      removed += 1;
    }
  }
  return removed;
}

function isTrue(record: ImageRecord | undefined, { sha256, index }: FileHash): boolean {
  return record?.files?.[index]?.sha256 === sha256;
}
