import { createHash } from 'node:crypto';
import { agreedIdentity } from '../store-identity.ts';
import { nextPiece } from './bytes.ts';
import { isAbsent, MantaError, MantaSilentError } from './failure.ts';
import { encodePath } from './layout.ts';
import { getObject, type Manta } from './manta.ts';

/** That of the account's folder. */
export function storeIdentity(manta: Manta): Promise<string> {
  return agreedIdentity({ read: () => readIdentity(manta), create: (value) => createIdentity(manta, value) });
}

async function readIdentity(manta: Manta): Promise<string | undefined> {
  try {
    const { body } = await getObject(manta, manta.layout.identity, {});
    const text: Buffer[] = [];
    for (;;) {
      const piece = await nextPiece(body, manta.timeout);
      if (piece === undefined) return Buffer.concat(text).toString();
      text.push(piece);
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function createIdentity(manta: Manta, value: string): Promise<void> {
  const { directories, bytes, layout, copies } = manta;
  const body = Buffer.from(`${value}\n`);
  const headers = {
    'content-type': 'text/plain',
    'content-md5': createHash('md5').update(body).digest('base64'),
    'durability-level': copies,
    // Manta's way to say that there must be nothing yet; `If-None-Match: *` would fail always.
    'if-match': '""',
  };
  try {
    await directories.placing(layout.identity, () =>
      bytes.sendBriefly({ method: 'PUT', path: encodePath(layout.identity), headers, body }),
    );
  } catch (error) {
    const isMadeByOthers = error instanceof MantaError && (error.status === 412 || error.code === 'ConcurrentRequest');
    if (!isMadeByOthers && !(error instanceof MantaSilentError)) throw error;
  }
}
