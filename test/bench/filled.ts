/** Folders with so many images, for servers to start on: each is made once, for all suites. */
import { constants, existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startServer } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';

/** For suites that change no image: all of them have the same one. */
export async function filledFolder(directory: string, count: number): Promise<string> {
  const dataDir = join(directory, `filled-${count}`);
  if (existsSync(dataDir)) return dataDir;
  const unfinished = `${dataDir}.unfinished`;
  // A server makes the tables; the images are then put straight into them.
  await copyFolder(await emptyFolder(directory), unfinished);
  fillSqlite(unfinished, count);
  await rename(unfinished, dataDir);
  return dataDir;
}

/** For one that changes them: a copy. @param name of the folder, in which whatever was there before goes */
export async function ownFilledFolder(directory: string, name: string, count: number): Promise<string> {
  const dataDir = join(directory, name);
  await copyFolder(await filledFolder(directory, count), dataDir);
  return dataDir;
}

async function emptyFolder(directory: string): Promise<string> {
  const dataDir = join(directory, 'empty');
  if (!existsSync(dataDir)) await (await startServer({ name: 'bench-1', dataDir })).stop();
  return dataDir;
}

/** All of it: the documents and the files know each other. No server may have it open. */
async function copyFolder(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}
