/** Backups and restores as operators make them, and what tests look for in them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { backUp as backUpFolder } from '#lib/backup/back-up.ts';
import { sha1Of } from '../../../../helpers/images.ts';
import { type Spawned, temporaryFolder } from '../../../../helpers/imgapi.ts';
import { runImgapiadm } from '../../capture.ts';

export async function backUp(directory: string, dataDir: string, ...args: string[]) {
  const ran = await runImgapiadm(['backup', directory, '--data-dir', dataDir, '--json', ...args]);
  return { ...ran, report: ran.stdout === '' ? undefined : JSON.parse(ran.stdout) };
}

export async function restore(directory: string, dataDir: string, ...args: string[]) {
  const ran = await runImgapiadm(['restore', directory, '--data-dir', dataDir, '--json', ...args]);
  return { ...ran, report: ran.stdout === '' ? undefined : JSON.parse(ran.stdout) };
}

export async function places(t: Test): Promise<{ directory: string; restored: string }> {
  const folder = await temporaryFolder(t, 'imgapi-backup');
  return { directory: join(folder, 'backup'), restored: join(folder, 'restored') };
}

export function verify(server: Spawned) {
  return runImgapiadm(['verify', '-u', server.url, '--data-dir', server.dataDir]);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The program's own part of it, told when the documents were read. */
export function backUpTelling(directory: string, dataDir: string, onDocuments: () => Promise<void>) {
  return backUpFolder({ directory, dataDir, signal: new AbortController().signal, onDocuments });
}

export function configOn(folder: string, dataDir: string): string {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ mode: 'private', authType: 'none', address: '127.0.0.1', port: 0, dataDir }));
  return file;
}

/** The file of a backup that holds these bytes. */
export function objectOf(directory: string, bytes: Buffer): string {
  const found = filesBelow(join(directory, 'objects')).find((file) => sha1Of(readFileSync(file)) === sha1Of(bytes));
  if (found === undefined) throw new Error('the backup does not have these bytes');
  return found;
}
