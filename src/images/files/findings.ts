/**
 * Findings: what is known to be wrong with a stored file, a document for each. Most are *quarantined*: the image's record
 * says so, and no request is given the bytes. Record and finding change in one batch, and whatever puts other bytes in the
 * place of the file ends both in the batch in which the record takes these over.
 */
import type { FileFinding, Found } from '#lib/api/schemas/maintenance.ts';
import type { Bucket, WithStore, Write } from '#lib/documents/store.ts';
import { objectName, type Which } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { fileDamaged } from './stored-object.ts';

export interface StoredFinding extends FileFinding {
  readonly index: Which;
  /** Counts the writes. */
  readonly rev: number;
}

/** What is wrong. A file of which readers get the right bytes all the same is not to be kept from them. */
export interface Fault {
  readonly status: Found;
  readonly message: string;
  readonly isServed: boolean;
}

/** Keyed by `UUID.fileN` and `UUID.icon`. */
export const FINDINGS: Bucket<StoredFinding> = { name: 'imgapi_findings', version: 1, index: {} };

export function findingKey(uuid: string, index: Which): string {
  return `${uuid}.${objectName(index)}`;
}

/** What is wrong with the file that the record has at that place. */
export function findingOf(
  { uuid, name }: ImageRecord,
  index: Which,
  { stor, size }: Pick<FileRecord, 'stor' | 'size'>,
  { status, message, isServed }: Fault,
  known: StoredFinding | undefined,
  now: number,
): StoredFinding {
  const at = new Date(now).toISOString();
  return {
    ...{ uuid, name, index, file: objectName(index), stor, size },
    ...{ status, message, quarantined: !isServed, found_at: known?.found_at ?? at, checked_at: at },
    ...(known?.kept !== undefined && { kept: known.kept }),
    ...(known?.repair && { repair: known.repair }),
    rev: known?.rev ?? 0,
  };
}

export function putFinding(finding: StoredFinding, ifEtag: string | null): Write {
  const { uuid, index, rev } = finding;
  return { op: 'put', bucket: FINDINGS, key: findingKey(uuid, index), value: { ...finding, rev: rev + 1 }, ifEtag };
}

/** What is known to be damaged, by UUID. */
export async function listFindings({ store }: WithStore): Promise<FileFinding[]> {
  const findings: FileFinding[] = [];
  for await (const found of store.scan(FINDINGS, {})) {
    for (const { value } of found) {
      const { index: _, rev: __, ...finding } = value;
      findings.push(finding);
    }
  }
  return findings;
}

/** Absent is no error. */
export function forgetFinding(uuid: string, index: Which): Write {
  return { op: 'del', bucket: FINDINGS, key: findingKey(uuid, index) };
}

export function isQuarantined({ quarantined, quarantined_icon: icon }: ImageRecord, index: Which): boolean {
  return index === 'icon' ? icon === true : (quarantined?.includes(index) ?? false);
}

export function withQuarantined(record: ImageRecord, index: Which): ImageRecord {
  if (index === 'icon') return { ...record, quarantined_icon: true };
  const { quarantined = [] } = record;
  return quarantined.includes(index) ? record : { ...record, quarantined: [...quarantined, index] };
}

export function withoutQuarantined(record: ImageRecord, index: Which): ImageRecord {
  if (index === 'icon') {
    const { quarantined_icon: _, ...bare } = record;
    return bare;
  }
  const { quarantined, ...rest } = record;
  if (!quarantined?.includes(index)) return record;
  const left = quarantined.filter((one) => one !== index);
  return left.length > 0 ? { ...rest, quarantined: left } : rest;
}

/** @throws 503 FileDamaged */
export function assertNotQuarantined(record: ImageRecord, index: Which): void {
  if (!isQuarantined(record, index)) return;
  throw fileDamaged(
    `${objectName(index)} of image "${record.uuid}"`,
    'its stored bytes are not those of its record; they are quarantined',
  );
}
