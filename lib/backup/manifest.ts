/**
 * What a backup holds, as a file of JSON lines: a header, a line for each file, and a last line that shows that the
 * manifest is complete. It is replaced in one step, so there is always either the old backup or the new one.
 */
import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { syncDirectory } from '../objects/local/durable.ts';
import { hasCode } from '../runtime/absence.ts';
import { BackupError } from './errors.ts';

export const MANIFEST = 'manifest.jsonl';
/** Where files from outside the data folder go. */
export const ELSEWHERE = 'elsewhere';
const FORMAT = 1;

export interface BackupFile {
  /** Relative to the data folder, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly sha1: string;
  /** Milliseconds since the epoch. */
  readonly mtime: number;
  /** For files in {@link ELSEWHERE}: the original path. */
  readonly from?: string;
}

export interface Manifest {
  /** ISO date of the snapshot of the documents. */
  readonly made_at: string;
  readonly files: readonly BackupFile[];
}

export async function writeManifest(directory: string, { made_at, files }: Manifest): Promise<void> {
  const temporary = join(directory, `${MANIFEST}.new`);
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(lines({ made_at, files }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(directory, MANIFEST));
  await syncDirectory(directory);
}

function* lines({ made_at, files }: Manifest): Generator<string> {
  yield `${JSON.stringify({ imgapi_backup: FORMAT, made_at })}\n`;
  for (const file of files) yield `${JSON.stringify(file)}\n`;
  yield `${JSON.stringify({ end: files.length })}\n`;
}

/** Undefined if there is no finished backup. @throws BackupError NotABackup */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const file = join(directory, MANIFEST);
  const no = (why: string) => new BackupError('NotABackup', `${file} ${why}`);
  let madeAt: string | undefined;
  let end: number | undefined;
  const files: BackupFile[] = [];
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      const value = parsed(line);
      if (madeAt === undefined) {
        if (value?.['imgapi_backup'] !== FORMAT) throw no('is not a backup manifest that this version can read');
        madeAt = String(value['made_at']);
      } else if (typeof value?.['end'] === 'number') {
        end = value['end'];
      } else if (isBackupFile(value)) {
        files.push(value);
      } else {
        throw no(`has an invalid line: ${line.slice(0, 100)}`);
      }
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  if (madeAt === undefined || end !== files.length) throw no('is cut short');
  return { made_at: madeAt, files };
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Checks paths too: a tampered manifest must not make a restore write outside the data folder. */
function isBackupFile(value: unknown): value is BackupFile {
  const { path, size, sha256, sha1, mtime } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof path === 'string' &&
    path !== '' &&
    !path.startsWith('/') &&
    !path.includes('\0') &&
    normalize(path).split(sep).join('/') === path &&
    path.split('/')[0] !== '..' &&
    dirname(path) !== path &&
    [size, mtime].every((number) => typeof number === 'number' && number >= 0) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof sha1 === 'string'
  );
}
