/** The secret that signs the pull URLs which this service serves itself. */
import { randomBytes } from 'node:crypto';
import { unlessChanged } from '#lib/documents/update.ts';
import type { Service } from '../service/service.ts';
import { URL_SECRETS, type UrlSecretRecord } from './documents.ts';

const KEY = 'pulls';

/** Made on first use; of several processes that do so at once, all get the same. */
export async function pullSecret(service: Service): Promise<Buffer> {
  const stored = (await service.store.get(URL_SECRETS, KEY)) ?? (await makeSecret(service));
  return Buffer.from(stored.value.secret, 'hex');
}

async function makeSecret(service: Service): Promise<{ readonly value: UrlSecretRecord }> {
  const value: UrlSecretRecord = { secret: randomBytes(32).toString('hex') };
  await unlessChanged(service.store.batch([{ op: 'put', bucket: URL_SECRETS, key: KEY, value, ifEtag: null }]));
  const stored = await service.store.get(URL_SECRETS, KEY);
  if (!stored) throw new Error('the secret of the pull URLs is not in the store after it was written');
  return stored;
}
