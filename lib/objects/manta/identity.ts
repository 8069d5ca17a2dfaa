import { createHash } from 'node:crypto';
import { newUuid } from '../../text/uuid.ts';
import { nextPiece } from './bytes.ts';
import { isAbsent, MantaError, MantaSilentError } from './failure.ts';
import { encodePath } from './layout.ts';
import { getObject, type Manta } from './manta.ts';

const MOST_ATTEMPTS = 5;

/** The identity of the account's folder, made if there is none. Whoever makes it at the same time gets the same one. */
export async function storeIdentity(manta: Manta): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const known = await readIdentity(manta);
    if (known !== undefined) return known;
    if (attempt > MOST_ATTEMPTS) throw new MantaSilentError('the identity cannot be read back');
    await makeIdentity(manta);
  }
}

async function readIdentity(manta: Manta): Promise<string | undefined> {
  try {
    const { body } = await getObject(manta, manta.layout.identity, {});
    const text: Buffer[] = [];
    for (;;) {
      const piece = await nextPiece(body, manta.timeout);
      if (piece === undefined) return Buffer.concat(text).toString().trim();
      text.push(piece);
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function makeIdentity(manta: Manta): Promise<void> {
  const { directories, bytes, layout, copies } = manta;
  const body = Buffer.from(`${newUuid()}\n`);
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
