/** Whether what came is the file that was announced. */
import type { SessionHashes, WriteSession } from '#lib/objects/object-store.ts';
import { CopyError } from '../documents/failures.ts';
import type { Transfer } from '../documents/model.ts';

/** @throws CopyError WrongBytes */
export async function verifiedHashes(transfer: Transfer, session: WriteSession): Promise<SessionHashes> {
  const hashes = await session.hashes();
  const { sha1, sha256, total, image } = transfer;
  const wrong =
    session.size !== total
      ? `${session.size} bytes instead of ${total}`
      : hashes.sha1 !== sha1
        ? `sha1 ${hashes.sha1} instead of ${sha1}`
        : sha256 !== undefined && hashes.sha256 !== sha256
          ? `sha256 ${hashes.sha256} instead of ${sha256}`
          : undefined;
  if (wrong === undefined) return hashes;
  throw new CopyError('WrongBytes', `the file received for image "${image}" has ${wrong}`);
}
