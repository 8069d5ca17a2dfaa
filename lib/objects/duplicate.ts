import { UnsupportedError } from './errors.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Duplicates an object without moving its bytes through this process: by a link, or by a copy that the store makes.
 * Returns false if the store can do neither for this object.
 * @throws ObjectNotFoundError
 */
export async function duplicate(store: ObjectStore, from: string, to: string): Promise<boolean> {
  const { supportsLink, supportsServerCopy } = store.capabilities;
  if (supportsLink && (await isSupported(store.link(from, to)))) return true;
  return supportsServerCopy && (await isSupported(store.serverCopy(from, to)));
}

async function isSupported(call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}
