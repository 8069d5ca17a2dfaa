/** The secret that signs the pull URLs that this service serves itself. */
import { randomBytes } from 'node:crypto';
import { madeOnFirstUse } from '#lib/documents/first-use.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { URL_SECRETS } from './documents.ts';

const KEY = 'pulls';

export async function pullSecret({ store }: WithStore): Promise<Buffer> {
  const made = await madeOnFirstUse(store, URL_SECRETS, KEY, () => ({ secret: randomBytes(32).toString('hex') }));
  return Buffer.from(made.value.secret, 'hex');
}
