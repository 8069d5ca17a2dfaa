/**
 * The secret that identifies an operator on this machine: a file that only the service's user can read. The
 * command-line tool sends it. It is accepted from loopback only, so it is useless over the network.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '#lib/runtime/absence.ts';

export function operatorTokenPath(dataDir: string): string {
  return join(dataDir, 'keys', 'operator.token');
}

/** Called at start. Processes that start at the same time all end up with the same token. */
export async function ensureOperatorToken(dataDir: string): Promise<string> {
  const path = operatorTokenPath(dataDir);
  const existing = await readToken(path);
  if (existing !== undefined) return existing;
  // A crash of the machine can leave an empty file, which must not pass for a secret.
  if (await isEmpty(path)) await rm(path, { force: true });
  await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    // Unlike rename, link does not replace a file that another process has just created.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readToken(path);
  if (made === undefined) throw new Error(`${path} is empty: remove it and start the service again`);
  return made;
}

async function isEmpty(path: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim() === '';
}

async function readToken(path: string): Promise<string | undefined> {
  return (await ifThere(readFile(path, 'utf8')))?.trim() || undefined;
}
