/** Makes link tokens, and removes expired ones. */
import type { NewLinkToken } from '#lib/api/schemas/datacenter.ts';
import type { Write } from '#lib/documents/store.ts';
import type { Service } from '../../service/service.ts';
import { LINK_NONCES, LINK_TOKENS, type LinkTokenRecord } from './documents.ts';
import { ownKeys } from './own-keys.ts';
import { ownLinkUrl, ownName } from './self.ts';
import { LINK_TOKEN_LIFETIME_MS, newToken } from './token.ts';

export interface LinkTokenOptions {
  /** The accounts whose images the other datacenter may read. Absent: all accounts. */
  readonly allowedAccounts?: readonly string[] | undefined;
  /** Origins to accept in the other's pull URLs, besides its link listener. */
  readonly pullOrigins?: readonly string[] | undefined;
}

/** @throws 501 NotAvailable when this datacenter does not accept links */
export async function createLinkToken(service: Service, options: LinkTokenOptions = {}): Promise<NewLinkToken> {
  const [datacenter, url] = [ownName(service), ownLinkUrl(service)];
  // Makes the key pair now, so that pairing does not have to wait for it.
  await ownKeys(service);
  const { text, token } = newToken();
  const expiresAt = service.store.now() + LINK_TOKEN_LIFETIME_MS;
  const value: LinkTokenRecord = {
    ...token,
    expires_at: expiresAt,
    ...(options.allowedAccounts && { allowed_accounts: options.allowedAccounts }),
    ...(options.pullOrigins && { pull_origins: options.pullOrigins }),
  };
  await service.store.batch([{ op: 'put', bucket: LINK_TOKENS, key: token.id, value, ifEtag: null }]);
  service.log.info({ token: token.id }, 'made a link token');
  return { token: text, expires: new Date(expiresAt).toISOString(), datacenter, url };
}

/** Whether the token with that id can still be used. */
export async function isLinkToken(service: Service, id: string): Promise<boolean> {
  const token = await service.store.get(LINK_TOKENS, id);
  return token !== undefined && token.value.expires_at > service.store.now();
}

/** A periodic task: removes expired tokens and nonces, and returns how many. */
export async function expireLinkDocuments(service: Service): Promise<number> {
  let removed = 0;
  for (const bucket of [LINK_TOKENS, LINK_NONCES]) {
    for (;;) {
      const found = await service.store.find(bucket, {
        filter: { op: 'le', field: 'expires_at', value: service.store.now() },
        limit: BATCH,
      });
      const writes = found.map(({ key }): Write => ({ op: 'del', bucket, key }));
      if (writes.length > 0) await service.store.batch(writes);
      removed += writes.length;
      if (writes.length < BATCH) break;
    }
  }
  return removed;
}

const BATCH = 500;
