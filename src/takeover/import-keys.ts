/**
 * Keys of the users who may write where requests are signed: `NAME.keys` files of another IMGAPI become files of ours, and
 * keys that we have stay. In its own data folder they are read where they are.
 */
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '#lib/runtime/absence.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import { writeWhole } from '#lib/runtime/write-whole.ts';
import type { Service } from '../service/service.ts';
import type { DataSource } from './sources/data-source.ts';

export interface ImportedKeys {
  /** Who has got keys. */
  readonly users: readonly string[];
  /** Files that are there, and are no files of keys. */
  readonly left: readonly string[];
}

const FOLDER = 'authkeys';
const KEYS = /^([\w@%+.-]+)\.keys$/;
const LARGEST = 1024 * 1024;
const OWN_FOLDER = 0o700;

export async function importKeys({ config }: Pick<Service, 'config'>, source: DataSource, dryRun: boolean) {
  const folder = join(config.dataDir, FOLDER);
  const users: string[] = [];
  const left: string[] = [];
  const here = await ifThere(realpath(config.dataDir));
  for (const theirs of source.keyFolders) {
    if (here !== undefined && theirs.startsWith(`${here}/`)) continue;
    for (const name of (await ifThere(readdir(theirs))) ?? []) {
      const user = KEYS.exec(name)?.[1];
      if (user === undefined) continue;
      const from = join(theirs, name);
      const found = await lstat(from);
      if (!found.isFile() || found.size > LARGEST) left.push(from);
      else if (await addKeys(from, join(folder, name), dryRun)) users.push(user);
    }
  }
  return { users, left } satisfies ImportedKeys;
}

/** Returns whether there were any that are not here. */
async function addKeys(from: string, to: string, dryRun: boolean): Promise<boolean> {
  const [theirs, ours] = [await linesOf(from), await linesOf(to)];
  const known = new Set(ours.map((line) => line.trim()));
  const fresh = theirs.filter((line) => line.trim() !== '' && !known.has(line.trim()));
  if (!fresh.some((line) => !line.trimStart().startsWith('#'))) return false;
  if (dryRun) return true;
  await makeFolder(join(to, '..'), OWN_FOLDER);
  await writeWhole(to, `${[...ours.filter((line) => line !== ''), ...fresh].join('\n')}\n`);
  return true;
}

async function linesOf(file: string): Promise<string[]> {
  return ((await ifThere(readFile(file, 'utf8'))) ?? '').split('\n');
}
