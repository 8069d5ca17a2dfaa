/**
 * Keys of users that operators keep in Manta, in `authkeys` of the service's folder there: mirrored to a folder of this machine,
 * so that they count while Manta is away too. What is removed there is removed here.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { ifThere } from '#lib/runtime/absence.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import { writeWhole } from '#lib/runtime/write-whole.ts';

const KEYS = 'authkeys';
const NAME = /^[\w@%+.-]+\.keys$/;
const LARGEST = 1024 * 1024;

/** Returns whether anything has changed. @throws what the store does; then nothing has */
export async function mirrorKeys(store: ObjectStore, folder: string): Promise<boolean> {
  const entries = await store.list(KEYS);
  const names = entries.filter(({ name, type }) => type === 'object' && NAME.test(name)).map(({ name }) => name);
  const texts = new Map<string, Buffer>();
  for (const name of names) {
    const text = await textOf(store, `${KEYS}/${name}`);
    if (text) texts.set(name, text);
  }
  let hasChanged = false;
  for (const [name, text] of texts) {
    if ((await ifThere(readFile(join(folder, name))))?.equals(text)) continue;
    await makeFolder(folder, 0o700);
    await writeWhole(join(folder, name), text);
    hasChanged = true;
  }
  for (const name of (await ifThere(readdir(folder))) ?? []) {
    if (!NAME.test(name) || texts.has(name)) continue;
    await rm(join(folder, name), { force: true });
    hasChanged = true;
  }
  return hasChanged;
}

/** Undefined if it is gone meanwhile. */
async function textOf(store: ObjectStore, path: string): Promise<Buffer | undefined> {
  try {
    const { info, stream } = await store.read(path);
    if (info.size > LARGEST) {
      stream.destroy();
      return undefined;
    }
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array));
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}
