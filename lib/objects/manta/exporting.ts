/** Writes objects for others: anywhere in Manta where the service's account may, outside its own folder. */

import { InvalidPathError } from '../errors.ts';
import type { ExportOptions } from '../object-store.ts';
import { MantaError } from './failure.ts';
import { type Manta, putObject } from './manta.ts';

/** @throws InvalidPathError where nothing may be written */
export async function isForeignDirectory({ names, layout }: Manta, path: string): Promise<boolean> {
  assertForeign(layout.base, path);
  const found = await names.info(path).catch((error: unknown) => refuse(path, error));
  return found?.type === 'directory';
}

/** Manta shows an object only when it has all of it, with the right MD5. @throws InvalidPathError */
export async function exportObject(
  manta: Manta,
  path: string,
  body: () => AsyncIterable<Uint8Array>,
  options: ExportOptions,
): Promise<void> {
  assertForeign(manta.layout.base, path);
  await putObject(manta, { path, body, ...options }).catch((error: unknown) => refuse(path, error));
}

function assertForeign(own: string, path: string): void {
  if (path !== own && !path.startsWith(`${own}/`)) return;
  throw new InvalidPathError(path, 'lies in the folder of the service itself');
}

const STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 409]);
const OF_THE_MOMENT: ReadonlySet<string> = new Set([
  'ConcurrentRequest',
  'ContentMD5Mismatch',
  'InvalidHeader',
  'RequestExpired',
]);

/** What Manta says of the path is for the caller; what it says of the moment is not. */
function refuse(path: string, error: unknown): never {
  if (!(error instanceof MantaError) || !STATUSES.has(error.status) || OF_THE_MOMENT.has(error.code)) throw error;
  throw new InvalidPathError(path, `cannot be written: ${error.message}`, { cause: error });
}
