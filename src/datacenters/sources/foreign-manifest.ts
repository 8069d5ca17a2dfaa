/**
 * Reads manifests that came from elsewhere: upgrades them to the current version, and leaves out the fields that are
 * not taken over (`lib/manifest/travel.ts`).
 */

import { IMAGE_STATES_V3 } from '#lib/api/schemas/image.ts';
import { isAclEntry, MAX_ACL_ENTRIES } from '#lib/manifest/acl-entry.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { COMPRESSIONS, type Share } from '#lib/manifest/record.ts';
import { travellingFields, withoutLeftBehind } from '#lib/manifest/travel.ts';
import { upgradeManifest } from '#lib/manifest/upgrade.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { SourceInvalidError } from '../peers/errors.ts';
import type { ForeignFile, SourceImage } from './source.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Asked {
  /** Names the source in errors. */
  readonly source: string;
  readonly uuid: string;
}

export interface Expected extends Asked {
  /** The image must be this account's. */
  readonly owner?: string | undefined;
  /** Set for an account's copy: only operators of a datacenter decide what is public there, not the source. */
  readonly neverPublic: boolean;
}

/** The fields that may be taken over, and those needed to decide whether the image is accepted. */
const READ: readonly string[] = [
  ...new Set(['v', 'state', ...travellingFields('copy'), ...travellingFields('import-remote')]),
];
const FILE_FIELDS: readonly string[] = ['sha1', 'size', 'compression', 'dataset_guid'];

const SHA1 = /^[0-9a-f]{40}$/i;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The manifest for an import with `source`. It may still have unknown fields or be of another image, because it is
 * later validated like one from a client. @throws SourceInvalidError when it is not an object
 */
export function foreignManifest(answer: unknown, asked: Asked): Fields {
  return withoutLeftBehind(inTodaysForm(answer, asked), 'import-source');
}

/** The image that was asked for, with known fields only. @throws SourceInvalidError */
export function foreignImage(answer: unknown, expected: Expected): SourceImage {
  const given = inTodaysForm(answer, expected);
  if (given['uuid'] !== expected.uuid) throw wrong(expected, `the manifest is that of image ${shown(given['uuid'])}`);
  if (!isUuid(given['owner'])) throw wrong(expected, `the owner is ${shown(given['owner'])}, which is not a UUID`);
  if (expected.owner !== undefined && given['owner'] !== expected.owner) {
    throw wrong(expected, `the owner is ${given['owner']}, not the account that was asked for`);
  }
  if (!IMAGE_STATES_V3.some((state) => state === given['state'])) {
    throw wrong(expected, `the state is ${shown(given['state'])}`);
  }
  const files = filesOf(given['files'] ?? [], expected);
  const manifest = {
    ...pick(given, READ),
    files: files.map((file) => pick(file, FILE_FIELDS)),
    ...(expected.neverPublic && { public: false }),
  };
  return { manifest, files: files.map(foreignFile) };
}

/** The answer of a linked datacenter: the image with its shares. @throws SourceInvalidError */
export function linkedImage(answer: unknown, expected: Expected): SourceImage {
  const given = (answer ?? {}) as Fields;
  const shares = sharesOf(given['shares'], expected);
  const left = leftOf(given['left'], expected);
  return { ...foreignImage(given['manifest'], expected), ...(shares && { shares }), ...(left && { left }) };
}

function inTodaysForm(answer: unknown, asked: Asked): Fields {
  if (isObject(answer)) return upgradeManifest(answer);
  throw wrong(asked, 'the manifest is not an object');
}

function sharesOf(shares: unknown, expected: Expected): Share[] | undefined {
  if (shares === undefined) return undefined;
  if (!Array.isArray(shares) || shares.length > MAX_ACL_ENTRIES) {
    throw wrong(expected, `the shares are not a list of at most ${MAX_ACL_ENTRIES} entries`);
  }
  return shares.map((share) => shareOf(share, expected));
}

function leftOf(left: unknown, expected: Expected): Share[] | undefined {
  if (left === undefined) return undefined;
  // As many logins as can be listed, and as many UUIDs that are no longer listed.
  if (!Array.isArray(left) || left.length > 2 * MAX_ACL_ENTRIES) {
    throw wrong(
      expected,
      `the shares that accounts have left are not a list of at most ${2 * MAX_ACL_ENTRIES} entries`,
    );
  }
  return left.map((share: unknown): Share => {
    const { entry, account } = isObject(share) ? share : {};
    if (!isAclEntry(entry)) throw wrong(expected, `${shown(entry)} is not an entry of an access control list`);
    if (isUuid(entry)) return { entry };
    if (!isUuid(account)) throw wrong(expected, `the account that left share "${entry}" is not a UUID`);
    return { entry, account };
  });
}

function shareOf(share: unknown, expected: Expected): Share {
  const { entry, account, shared_at } = isObject(share) ? share : {};
  if (!isAclEntry(entry)) throw wrong(expected, `${shown(entry)} is not an entry of an access control list`);
  if (isUuid(entry)) return { entry };
  if (account !== undefined && !isUuid(account)) throw wrong(expected, `the account of share "${entry}" is not a UUID`);
  if (typeof shared_at !== 'string' || Number.isNaN(Date.parse(shared_at))) {
    throw wrong(expected, `the time of share "${entry}" is ${shown(shared_at)}, which is not a date`);
  }
  return { entry, ...(account !== undefined && { account }), shared_at: new Date(shared_at).toISOString() };
}

function filesOf(files: unknown, expected: Expected): Fields[] {
  if (!Array.isArray(files)) throw wrong(expected, 'files is not an array');
  return files.map((file: unknown) => {
    const { sha1, size } = isObject(file) ? file : {};
    // Not turned into a text first: that fails for an object with a `toString` that is no function.
    const isFile = typeof sha1 === 'string' && SHA1.test(sha1) && Number.isSafeInteger(size) && Number(size) >= 0;
    if (!isFile) throw wrong(expected, `${shown(file)} is not a file with a sha1 and a size`);
    return { ...(file as Fields), sha1: sha1.toLowerCase() };
  });
}

function foreignFile(file: Fields): ForeignFile {
  const { sha1, size, dataset_guid, sha256 } = file;
  const compression = COMPRESSIONS.find((known) => known === file['compression']);
  return {
    sha1: String(sha1),
    size: Number(size),
    ...(compression && { compression }),
    ...(typeof dataset_guid === 'string' && { dataset_guid }),
    ...(typeof sha256 === 'string' && SHA256.test(sha256) && { sha256 }),
  };
}

function pick(fields: Fields, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

function shown(value: unknown): string {
  return redact(JSON.stringify(value) ?? 'missing').slice(0, 200);
}

function wrong({ source, uuid }: Asked, what: string): SourceInvalidError {
  return new SourceInvalidError(`the answer of ${source} about image ${uuid} is invalid: ${what}`);
}
