import { type FileHandle, open } from 'node:fs/promises';
import { hasCode } from './durable.ts';
import { storeFailure } from './failure.ts';

const CHUNK = 512 * 1024;

/**
 * The bytes that a session has staged, as far as `upTo`; none when there is no such session. Each piece is valid until
 * the next one is asked for. The bytes are copied and not shared: their writer may still be at work on them.
 */
export async function* stagedBytes(file: string, upTo: number): AsyncGenerator<Uint8Array> {
  const handle = await openIfThere(file);
  if (handle === undefined) {
    return;
  }
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  try {
    for (let at = 0; at < upTo; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, upTo - at), at).catch((error: unknown) => {
        throw storeFailure(error);
      });
      if (bytesRead === 0) {
        return;
      }
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw storeFailure(error);
  }
}
