/**
 * Real input: a root file system tarball of some hundred megabytes made of this machine's own files, and an increment
 * on top of it. Never zeros: those would make every number look better than it is.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { lstat, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Tarball {
  readonly path: string;
  readonly size: number;
  readonly sha1: string;
}

/** In this order, until there is enough. */
const BASE = ['/usr/bin', '/usr/sbin', '/usr/lib', '/lib', '/usr/share', '/usr/local'];
const INCREMENT = ['/etc', '/usr/include', '/usr/share/doc', '/var/lib/dpkg', '/usr/src', '/usr/lib/python3'];
const BASE_BYTES = 300e6;
const INCREMENT_BYTES = 60e6;

/** @param part of the usual size */
export function makeBase(directory: string, part: number): Promise<Tarball> {
  return makeTarball(join(directory, 'base.tar'), BASE, BASE_BYTES * part);
}

export function makeIncrement(directory: string, part: number): Promise<Tarball> {
  return makeTarball(join(directory, 'increment.tar'), INCREMENT, INCREMENT_BYTES * part);
}

async function makeTarball(path: string, roots: readonly string[], bytes: number): Promise<Tarball> {
  const list: string[] = [];
  let left = bytes;
  for (const root of roots) {
    for await (const [file, size] of filesBelow(root)) {
      if (left <= 0) break;
      list.push(file.slice(1));
      left -= size;
    }
  }
  const listFile = `${path}.list`;
  await writeFile(listFile, list.join('\0'));
  const tar = spawn('tar', ['--create', '--file', path, '--directory', '/', '--null', '--files-from', listFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  tar.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  const [code] = (await once(tar, 'close')) as [number];
  // 1: a file changed while it was read. The tarball is as real as before.
  if (code > 1) throw new Error(`tar failed: ${complaints}`);
  return { path, size: (await stat(path)).size, sha1: await sha1OfFile(path) };
}

async function* filesBelow(directory: string): AsyncGenerator<[string, number]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) {
      const info = await lstat(path).catch(() => undefined);
      if (info) yield [path, info.size];
    }
  }
}

export async function sha1OfFile(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
