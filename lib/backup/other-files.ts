/** What else lies in a data folder beside its documents and the files of its images: keys, accounts, archived manifests. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../runtime/absence.ts';
import { DATABASE } from './manifest.ts';
import { RESTORE_MARKER } from './marker.ts';

/**
 * Images come by their records. Staging and pull links are bytes on their way: whoever fetches them begins again. `run`
 * tells of processes.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'storage/images',
  'storage/staging',
  'storage/pulls',
  'run',
  DATABASE,
  `${DATABASE}-wal`,
  `${DATABASE}-shm`,
  `${DATABASE}-journal`,
  RESTORE_MARKER,
]);

const RESERVE = `${DATABASE}-reserve`;

export interface OtherFile {
  readonly path: string;
  /** Not for something that is no regular file, which no backup takes. */
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
