/** Files of the data directory that belong to another user than the directory, as after a restore by root: the server cannot use them. */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from './finding.ts';

/** Of a million images not all are looked at: what was restored or copied by somebody else is seen in the folders above. */
const MOST = 20_000;
/** What the server writes itself; keys and accounts may be given to it by somebody else. */
const WRITTEN = ['storage', 'keys', 'run'];

export async function lookAtOwners(dataDir: string): Promise<Finding[]> {
  const owner = (await lstat(dataDir).catch(() => undefined))?.uid;
  if (owner === undefined) return [];
  const folders = WRITTEN.map((name) => join(dataDir, name));
  let left = MOST;
  for (const folder of folders) {
    for (const entry of await entriesOf(folder)) {
      if (left-- === 0) return [];
      const path = join(folder, entry.name);
      const uid: number = (await lstat(path).catch(() => undefined))?.uid ?? owner;
      if (uid !== owner) {
        const problem = `${path} belongs to user ${uid}, and ${dataDir} to user ${owner}`;
        return [
          { part: 'files', problem, mend: `give all of it to the user of the server: chown -R ${owner} ${dataDir}` },
        ];
      }
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return [];
}

/** What this user may not read has been told already. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
