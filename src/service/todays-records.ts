/**
 * The records of the standalone IMGAPI that ran on this data folder before: one JSON file for each image, in `manifests`.
 * They are imported by a command, which leaves a note; until then whoever starts the service is told.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#lib/runtime/absence.ts';
import { writeWhole } from '#lib/runtime/write-whole.ts';
import type { Config } from './config/config.ts';

export const MANIFESTS = 'manifests';
export const RAW_RECORD = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.raw$/;

export interface TodaysRecords {
  readonly records: number;
  /** Milliseconds since the epoch: when the last of them was written, added or removed. */
  readonly changed: number;
}

interface ImportedRecords extends TodaysRecords {
  /** How many could not be imported. */
  readonly problems: number;
}

const NOTE = 'imported.json';

/** Undefined if there are none, or if this process may not look. */
export async function todaysRecords(dataDir: string): Promise<TodaysRecords | undefined> {
  const folder = join(dataDir, MANIFESTS);
  const names = (await unlessUnreadable(readdir(folder))) ?? [];
  const records = names.filter((name) => RAW_RECORD.test(name));
  if (records.length === 0) return undefined;
  const times = await Promise.all([folder, ...records.map((name) => join(folder, name))].map(changedAt));
  return { records: records.length, changed: Math.max(...times) };
}

/** Whether they had their folder and there are none: no image was made yet, or all were deleted. */
export async function wereAllRemoved(dataDir: string): Promise<boolean> {
  return (await unlessUnreadable(readdir(join(dataDir, MANIFESTS))))?.length === 0;
}

/** For the import: all of them were dealt with. @param found as they were before it began */
export async function noteImported(dataDir: string, found: TodaysRecords, problems: number): Promise<void> {
  const note: ImportedRecords = { ...found, problems };
  await writeWhole(join(dataDir, NOTE), `${JSON.stringify(note)}\n`);
}

/** A line if there are records of which the last import does not know, or that it refused. @param file the configuration */
export async function notesOnTodaysRecords({ dataDir }: Pick<Config, 'dataDir'>, file?: string): Promise<string[]> {
  const found = await todaysRecords(dataDir);
  if (!found) return [];
  const note = await readNote(dataDir);
  const isKnown = note?.records === found.records && note.changed === found.changed;
  if (isKnown && note.problems === 0) return [];
  const where = join(dataDir, MANIFESTS);
  const what = isKnown
    ? `${note.problems} of the records in ${where}, of the IMGAPI that was here before, could not be imported; they are listed by`
    : `${found.records} records in ${where}, of the IMGAPI that was here before, are not imported, or have changed since; run`;
  return [`dataDir: ${what} imgapiadm import-data ${dataDir}${file === undefined ? '' : ` -f ${file}`}`];
}

async function readNote(dataDir: string): Promise<ImportedRecords | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, NOTE), 'utf8'));
  } catch {
    // Without a note, or with one that cannot be read, the command is named, which changes nothing that is here already.
    return undefined;
  }
}

async function changedAt(path: string): Promise<number> {
  return (await unlessUnreadable(stat(path)))?.mtimeMs ?? 0;
}

async function unlessUnreadable<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
