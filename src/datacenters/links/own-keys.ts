/**
 * The key pairs with which this datacenter signs. They are in the store rather than in a file on each machine, because
 * every process signs for the whole datacenter, and all must switch to a new key at the same moment.
 */
import { madeOnFirstUse } from '#lib/documents/first-use.ts';
import type { Stored, WithStore, Write } from '#lib/documents/store.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { generateKeys, type PrivateKey, parsePrivateKey } from '#lib/signing/keys.ts';
import { LINK_KEYS, type LinkRecord, type OwnKey, type OwnKeysRecord } from './documents.ts';
import { linkKey } from './public-keys.ts';

const KEY = 'own';

export function ownKeys(service: WithStore & { readonly clock: Clock }): Promise<Stored<OwnKeysRecord>> {
  return madeOnFirstUse(service.store, LINK_KEYS, KEY, async () => ({ keys: [await newKey(service)], rev: 1 }));
}

/** The key to announce to other datacenters; during a rotation, the new one. */
export function newest({ keys }: OwnKeysRecord): OwnKey {
  const key = keys.at(-1);
  if (!key) throw new Error('this datacenter has no key pair');
  return key;
}

/** The key to sign with on this link: the one that we know the other accepts, as long as we still have it. */
export function keyForLink(own: OwnKeysRecord, link: LinkRecord | undefined): OwnKey {
  return own.keys.find(({ fingerprint }) => fingerprint === link?.our_key) ?? newest(own);
}

/** Parsing takes milliseconds. The keys in the store's documents are shared, so each is parsed once. */
const PARSED = new WeakMap<OwnKey, PrivateKey>();

export function privateKeyOf(key: OwnKey): PrivateKey {
  const parsed = PARSED.get(key) ?? parsePrivateKey(key.privateKey);
  PARSED.set(key, parsed);
  return parsed;
}

/** A write that fails if the keys have changed since they were read. */
export function putOwnKeys(stored: Stored<OwnKeysRecord>, keys: readonly OwnKey[]): Write {
  const value: OwnKeysRecord = { keys, rev: stored.value.rev + 1 };
  return { op: 'put', bucket: LINK_KEYS, key: KEY, value, ifEtag: stored.etag };
}

export async function newKey({ clock }: { readonly clock: Clock }): Promise<OwnKey> {
  const pair = await generateKeys({ comment: 'imgapi link' });
  return { ...linkKey(pair.publicOpenssh, new Date(clock.now()).toISOString()), privateKey: pair.privatePem };
}
