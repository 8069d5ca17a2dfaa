/**
 * Whose the documents are: of which datacenter, and, where they lie in a data folder, of which folder. A second
 * configuration that names the same folder or database by mistake would mix the images of two datacenters; a copy of a
 * folder, beside the server of the first, would go on with the same copies, webhooks and deletions under the same keys.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DATABASE_FILE } from '#lib/documents/sqlite/database-file.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { ifThere } from '#lib/runtime/absence.ts';
import { operatorTokenPath } from '../operator-token.ts';
import type { Config } from './config.ts';
import { runningServers } from './listening.ts';

export interface Home {
  /** Absent: no server with a name has used them yet. */
  readonly datacenter?: string;
  /** The data folder, if they lie in one. */
  readonly folder?: string;
  /** Which file the database in it is: a copy is another one. */
  readonly file?: string;
}

export const HOME: Bucket<Home> = { name: 'imgapi_home', version: 1, index: {} };
export const HOME_KEY = 'documents';

export type Housed = Pick<Config, 'dataDir' | 'mode' | 'datacenterName' | 'formerDatacenterName'>;

export interface Misplaced {
  readonly problem: string;
  readonly mend: string;
}

/** Why the documents are not this datacenter's; undefined if they are. */
export function ofAnother({ datacenter: theirs }: Home, config: Housed): Misplaced | undefined {
  const ours = datacenterOf(config);
  if (theirs === undefined || theirs === ours || theirs === config.formerDatacenterName) return undefined;
  const renamed = `stop all its servers and set formerDatacenterName to "${theirs}"`;
  if (ours === undefined) {
    return {
      problem: `the documents are those of datacenter "${theirs}", whose images a server in mode "${config.mode}" neither shows nor protects`,
      mend: `set mode to "dc" and datacenterName to "${theirs}", or name another data folder or database; if it is to be no datacenter any more, ${renamed}`,
    };
  }
  return {
    problem: `the documents are those of datacenter "${theirs}", not of "${ours}"`,
    mend: `give each datacenter a data folder or database of its own; or, if "${theirs}" itself is called "${ours}" now, ${renamed}`,
  };
}

/** Only in `dc` mode is a server that of a datacenter. */
export function datacenterOf({ mode, datacenterName }: Housed): string | undefined {
  return mode === 'dc' ? datacenterName : undefined;
}

export interface Original {
  readonly folder: string;
  /** Whether it took this one's place, as a restored backup does; else this one was copied from it. */
  readonly isLater: boolean;
  /** URLs of the servers that run on it. */
  readonly servers: readonly string[];
}

/** The folder that this one was copied from, if it is still there; or its successor, if a server runs on that. */
export async function originalOf({ folder, file }: Home, dataDir: string): Promise<Original | undefined> {
  if (folder === undefined || file === undefined) return undefined;
  const own = await placeOf(dataDir);
  const there = await idOf(folder);
  if (own.folder === folder || there === undefined) return undefined;
  const isMoved = own.file === file;
  if (!isMoved) return there === file ? { folder, isLater: false, servers: await runningServers(folder) } : undefined;
  if (there === file || !(await haveOneSecret(folder, dataDir))) return undefined;
  const servers = await runningServers(folder);
  return servers.length > 0 ? { folder, isLater: true, servers } : undefined;
}

/** What is wrong with two folders of one datacenter. */
export function asCopy({ folder, isLater, servers }: Original, dataDir: string): Misplaced {
  const both = 'two would carry out the same copies and deletions under the same keys';
  const what = isLater ? `${dataDir} was replaced by ${folder}` : `${dataDir} is a copy of ${folder}`;
  if (servers.length === 0) {
    return { problem: `${what}, which is still there`, mend: `remove that, or start no server on it again: ${both}` };
  }
  return {
    problem: `${what}, on which a server runs (${servers.join(', ')}): ${both}`,
    mend: 'stop that one for good if this one is to follow it; else start on an empty folder, and copy images over a link',
  };
}

/** Another datacenter's folder, which may have come there later, has another. */
async function haveOneSecret(...folders: readonly string[]): Promise<boolean> {
  const [one, other] = await Promise.all(
    folders.map((folder) => readFile(operatorTokenPath(folder), 'utf8').catch(() => undefined)),
  );
  return one !== undefined && one === other;
}

/** Of the documents in a data folder. */
export async function placeOf(dataDir: string): Promise<Pick<Home, 'folder' | 'file'>> {
  const folder = (await ifThere(realpath(dataDir))) ?? dataDir;
  const file = await idOf(folder);
  return { folder, ...(file !== undefined && { file }) };
}

/** No answer of a folder that is somebody else's is none. */
async function idOf(folder: string): Promise<string | undefined> {
  const found = await stat(join(folder, DATABASE_FILE), { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
