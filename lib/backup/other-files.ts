/** What a data folder holds besides documents and image files: keys, accounts, archived manifests. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DATABASE_FILE } from '../documents/sqlite/database-file.ts';
import { ifThere } from '../runtime/absence.ts';
import { RESTORE_MARKER } from './marker.ts';

/**
 * Image files are backed up by their records. Staging and pull links are transfers under way, which simply start again.
 * `run` is about running processes. `images` is the tree of an IMGAPI that was here before, of which we have what was imported.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'images',
  'storage/images',
  'storage/staging',
  'storage/pulls',
  'run',
  DATABASE_FILE,
  `${DATABASE_FILE}-wal`,
  `${DATABASE_FILE}-shm`,
  `${DATABASE_FILE}-journal`,
  RESTORE_MARKER,
]);

const RESERVE = `${DATABASE_FILE}-reserve`;

export interface OtherFile {
  readonly path: string;
  /** False for anything that is not a regular file; that is not backed up. */
  readonly isFile: boolean;
}

export async function* otherFiles(dataDir: string, below = ''): AsyncGenerator<OtherFile> {
  for (const entry of (await ifThere(readdir(join(dataDir, below), { withFileTypes: true }))) ?? []) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (LEFT_OUT.has(path) || path.startsWith(RESERVE)) continue;
    if (entry.isDirectory()) yield* otherFiles(dataDir, path);
    else yield { path, isFile: entry.isFile() };
  }
}
