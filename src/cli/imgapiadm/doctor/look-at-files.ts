/** What is wrong with the files of a server's data directory: who may read them, which keys cannot be used, how much room is left. */
import { constants } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DATABASE_FILE } from '#lib/documents/sqlite/database-file.ts';
import { assertTakesWrites, isDiskIll, MEND_DISK } from '#lib/runtime/disk-takes-writes.ts';
import { KEY_TYPES } from '#lib/signing/algorithms.ts';
import { parsePublicKey } from '#lib/signing/keys.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Finding } from './finding.ts';

/** What has secrets or documents in it; the rest lies below a folder that is closed. */
const SECRET = [
  '',
  'keys',
  'authkeys',
  'storage',
  DATABASE_FILE,
  `${DATABASE_FILE}-wal`,
  `${DATABASE_FILE}-shm`,
  'keys/operator.token',
];
const OTHERS = 0o077;
const KEY_FOLDERS = ['authkeys', 'etc/authkeys/local'];

/** @param headroom bytes that are to stay free */
export async function lookAtFiles(dataDir: string, headroom: number): Promise<Finding[]> {
  const folder = await stat(dataDir).catch((error: NodeJS.ErrnoException) => error);
  if (folder instanceof Error) return [unreadable(dataDir, folder)];
  if (!folder.isDirectory()) {
    return [{ part: 'files', problem: `${dataDir} is not a directory`, mend: 'name a directory in dataDir' }];
  }
  return (await Promise.all([modes(dataDir), writable(dataDir), keys(dataDir), room(dataDir, headroom)])).flat();
}

function unreadable(path: string, { code, message }: NodeJS.ErrnoException): Finding {
  if (code === 'ENOENT') {
    const mend = 'start the server, which makes it, or name another one in dataDir or with --data-dir';
    return { part: 'files', problem: `${path} is not there`, mend };
  }
  const mend = 'run this as the user of the server';
  return { part: 'files', problem: `${path} cannot be read: ${message}`, mend };
}

async function modes(dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of SECRET) {
    const path = join(dataDir, name);
    const found = await stat(path).catch(() => undefined);
    if (!found) continue;
    const mode = found.mode & 0o777;
    if ((mode & OTHERS) !== 0) {
      const problem = `${path} has mode ${mode.toString(8).padStart(4, '0')}: other users of this machine may use it`;
      findings.push({ part: 'files', problem, mend: `chmod go= ${path}` });
    }
  }
  return findings;
}

async function writable(dataDir: string): Promise<Finding[]> {
  const findings = await readOnly(dataDir);
  // Each file on it would be named.
  if (findings.length > 0) return findings;
  for (const name of SECRET) {
    const path = join(dataDir, name);
    const error = await access(path, constants.R_OK | constants.W_OK).catch(
      (failure: NodeJS.ErrnoException) => failure,
    );
    if (!error || error.code === 'ENOENT') continue;
    const mend = 'run this as the user of the server; if that is so, give the file to this user';
    findings.push({ part: 'files', problem: `${path} cannot be read and written: ${error.message}`, mend });
  }
  return findings;
}

/** Storage may be a disk of its own. */
async function readOnly(dataDir: string): Promise<Finding[]> {
  const left = new Map([
    [dataDir, 'images are still read, and nothing else is done'],
    [join(dataDir, 'storage'), 'image files are still read, as far as it lets them, and none are written'],
  ]);
  for (const [folder, what] of left) {
    const error = await assertTakesWrites(folder).catch((failure: NodeJS.ErrnoException) => failure);
    if (!(error instanceof Error) || !isDiskIll(error)) continue;
    const problem = `the disk of ${folder} takes no writes (${error.code}): ${what}`;
    return [{ part: 'files', problem, mend: MEND_DISK }];
  }
  return [];
}

async function keys(dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const folder of KEY_FOLDERS) {
    const names = await readdir(join(dataDir, folder)).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.keys'))) {
      findings.push(...(await keysIn(join(dataDir, folder, name))));
    }
  }
  const token = join(dataDir, 'keys', 'operator.token');
  const secret = await readFile(token, 'utf8').catch(() => undefined);
  if (secret !== undefined && secret.trim() === '') {
    const mend = 'restart the server, which makes a new one';
    findings.push({ part: 'keys', problem: `${token} holds no secret`, mend });
  }
  return findings;
}

async function keysIn(file: string): Promise<Finding[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => error);
  if (text instanceof Error) {
    return [
      { part: 'keys', problem: `${file} cannot be read: ${text.message}`, mend: 'run this as the user of the server' },
    ];
  }
  return text.split('\n').flatMap((line, at) => {
    const problem = line.trim() === '' || line.startsWith('#') ? undefined : problemOfKey(line);
    const mend = `put a public key there, of type ${KEY_TYPES.join(', ')}, or remove the line; then restart the server`;
    return problem === undefined
      ? []
      : [{ part: 'keys' as const, problem: `${file}, line ${at + 1}: ${problem}`, mend }];
  });
}

function problemOfKey(line: string): string | undefined {
  if (line.includes('PRIVATE KEY')) return 'this is a private key, which does not belong there';
  try {
    parsePublicKey(line);
    return undefined;
  } catch (error) {
    const { cause, message } = error as Error;
    return cause instanceof Error ? `${message}: ${cause.message}` : message;
  }
}

async function room(dataDir: string, headroom: number): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  if (free > headroom) return [];
  const problem = `${formatBytes(free)} are free in ${dataDir}; ${formatBytes(headroom)} are kept for documents, so that no file fits`;
  return [{ part: 'room', problem, mend: 'delete images, or give the file system more room' }];
}
