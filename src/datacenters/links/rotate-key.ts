/**
 * Rotates the key of this datacenter. The new key is announced to every linked datacenter in a request signed with the
 * old key. Once all have it, the old key is removed on both sides. If some datacenters could not be reached, call it
 * again to continue.
 */
import { sign, verify } from 'node:crypto';
import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { RotateReport } from '#lib/api/schemas/datacenter.ts';
import type { RotateRequest } from '#lib/api/schemas/link.ts';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import type { Service } from '../../service/service.ts';
import { foreignMessage } from '../peers/remote-failure.ts';
import type { LinkRecord, OwnKey, OwnKeysRecord } from './documents.ts';
import { type LinkClient, linkClient } from './link-client.ts';
import { allLinks, changeLink, getLink } from './links.ts';
import { newest, newKey, ownKeys, privateKeyOf, putOwnKeys } from './own-keys.ts';
import { linkKey } from './public-keys.ts';
import { ownName } from './self.ts';

const ANNOUNCE_TIMEOUT_MS = 30_000;

/** Keys accepted per link. Limited because the link's record is read with every request. */
const MOST_KEYS = 20;

/** @param options `drop`: remove the old key now, even if some datacenters lack the new one; for a leaked key */
export async function rotateKey(service: Service, options: { readonly drop?: boolean } = {}): Promise<RotateReport> {
  const own = await beginRotation(service);
  const key = newest(own);
  const links = await allLinks(service);
  const results = await Promise.all(links.map((link) => announce(service, link, key)));
  const failed = results.flatMap((error, at) => (error ? [{ datacenter: links[at]?.name ?? '', error }] : []));
  const announced = links
    .map(({ name }) => name)
    .filter((name) => !failed.some(({ datacenter }) => datacenter === name));
  const dropped = failed.length === 0 || options.drop ? await dropOldKeys(service, key) : [];
  for (const link of await allLinks(service)) await retireKeys(service, link);
  service.log.info({ new_key: key.fingerprint, dropped, announced, failed }, 'rotated the link key');
  return { new_key: key.fingerprint, dropped, announced, failed };
}

/** Tells a datacenter which of our old keys to forget, if any. After a failure, a later call tries again. */
export async function retireKeys(service: Service, link: LinkRecord): Promise<void> {
  const drop = (link.retired_keys ?? []).slice(0, MOST_KEYS);
  if (drop.length === 0) return;
  try {
    const client = await linkClient(service, link);
    await tell(client, { drop });
    await changeLink(service, link.name, ({ retired_keys = [], ...rest }) => {
      const left = retired_keys.filter((fingerprint) => !drop.includes(fingerprint));
      return left.length > 0 ? { ...rest, retired_keys: left } : rest;
    });
  } catch (err) {
    service.log.warn({ err, datacenter: link.name, drop }, 'a linked datacenter still accepts retired keys');
  }
}

async function tell(client: LinkClient, change: RotateRequest): Promise<void> {
  const body = JSON.stringify(change);
  await client.json({ method: 'POST', path: '/link/rotate', body, timeout: ANNOUNCE_TIMEOUT_MS });
}

/** On the other side: adds a linked datacenter's new key, or removes old ones. @throws 422 ValidationFailed */
export async function acceptRotation(
  service: Service,
  datacenter: string,
  signedBy: string,
  { add, drop = [] }: RotateRequest,
): Promise<void> {
  if (drop.includes(signedBy)) throw validationFailed('drop', 'drop must not contain the key that signs this request');
  const { value: link } = await getLink(service, datacenter);
  const added = add && newKeyOf(service, link, add);
  await changeLink(service, datacenter, (current) => {
    const kept = current.keys.filter(({ fingerprint }) => !drop.includes(fingerprint));
    const isNew = added && !kept.some(({ fingerprint }) => fingerprint === added.fingerprint);
    if (isNew && kept.length >= MOST_KEYS) {
      throw validationFailed(
        'add',
        `${kept.length} keys of "${datacenter}" are already accepted here; drop old ones first`,
      );
    }
    return { ...current, keys: isNew ? [...kept, added] : kept };
  });
  service.log.info({ datacenter, added: added?.fingerprint, dropped: drop }, 'a linked datacenter rotated its key');
}

/** Signed with the new key, it proves that whoever announces the key owns it. */
export function rotationText(from: string, to: string, fingerprint: string): Buffer {
  return Buffer.from(`imgapi link key\nfrom ${from}\nto ${to}\nkey ${fingerprint}`);
}

function newKeyOf(service: Service, link: LinkRecord, add: NonNullable<RotateRequest['add']>) {
  try {
    const key = linkKey(add.public_key, new Date(service.clock.now()).toISOString());
    const text = rotationText(link.name, ownName(service), key.fingerprint);
    if (isProof(key.publicKey, text, add.proof)) return key;
  } catch (cause) {
    throw validationFailed('add', `the new key is refused: ${(cause as Error).message}`);
  }
  throw validationFailed('add', 'the proof does not match the new key');
}

/** Makes a new key, unless an unfinished rotation has already made one. */
async function beginRotation(service: Service): Promise<OwnKeysRecord> {
  const stored = await ownKeys(service);
  if (stored.value.keys.length > 1) return stored.value;
  await service.store.batch([putOwnKeys(stored, [...stored.value.keys, await newKey(service)])]);
  return (await ownKeys(service)).value;
}

/** Returns why it failed; undefined if the other datacenter has the key now. */
async function announce(service: Service, link: LinkRecord, key: OwnKey): Promise<string | undefined> {
  if (link.our_key === key.fingerprint) return undefined;
  const text = rotationText(ownName(service), link.name, key.fingerprint);
  const { publicKey, keyObject } = privateKeyOf(key);
  const proof = sign(hashFor(publicKey), text, keyObject).toString('base64');
  const body: RotateRequest = { add: { public_key: key.publicKey, proof } };
  try {
    const client = await linkClient(service, link);
    await tell(client, body);
    await changeLink(service, link.name, (current) => ({
      ...current,
      our_key: key.fingerprint,
      retired_keys: [...new Set([...(current.retired_keys ?? []), current.our_key])],
    }));
    return undefined;
  } catch (error) {
    return foreignMessage(error);
  }
}

async function dropOldKeys(service: Service, key: OwnKey): Promise<string[]> {
  const stored = await ownKeys(service);
  const old = stored.value.keys.filter(({ fingerprint }) => fingerprint !== key.fingerprint);
  if (newest(stored.value).fingerprint !== key.fingerprint) {
    throw new ApiError('Conflict', 'another rotation of the link key is under way');
  }
  if (old.length > 0) await service.store.batch([putOwnKeys(stored, [key])]);
  return old.map(({ fingerprint }) => fingerprint);
}

function isProof(publicKey: string, text: Buffer, proof: string): boolean {
  const key = parsePublicKey(publicKey);
  return verify(hashFor(key), text, key.keyObject, Buffer.from(proof, 'base64'));
}

/** Null for Ed25519, which has a built-in hash. */
function hashFor({ type }: PublicKey): string | null {
  return type === 'ed25519' ? null : 'sha256';
}
