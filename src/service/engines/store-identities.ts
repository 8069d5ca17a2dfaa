/**
 * Which object store the documents mean by each name. A process whose "local" is another folder, or whose "s3" is another
 * bucket, would take every image for lost and what it finds for rubbish. So a store is compared with what the documents
 * know before anybody uses it.
 *
 * Datacenters may share a bucket or a Manta account, each below a root of its own, and then have one identity. So a shared
 * store also gets a mark at its root, by which it is the store of these documents and of no others.
 */
import { Readable } from 'node:stream';
import { madeOnFirstUse } from '#lib/documents/first-use.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { ConfigError } from '../config/config-error.ts';

interface KnownStore {
  readonly name: string;
  readonly identity: string;
  /** ISO date of the first use. */
  readonly since: string;
  /** What the object {@link MARK} holds. */
  readonly mark: string;
  /** Whether it has been written. */
  readonly isMarked: boolean;
}

/** Keyed by the store's name. */
export const STORES: Bucket<KnownStore> = { name: 'imgapi_stores', version: 1, index: {} };

const MARK = 'owner';
const LONGEST_MARK = 100;
const LOCAL = 'local';

/**
 * On first use, notes the store.
 * @throws ConfigError if the documents know another one by this name, or if it belongs to other documents
 */
export async function assertKnownStore(documents: Store, store: ObjectStore): Promise<void> {
  const { name } = store;
  const identity = await store.identity();
  const known = await noted(documents, name, identity);
  if (known.identity !== identity) {
    throw refusal(
      `the documents know another store as "${name}" (identity ${known.identity}, since ${known.since}) than the one ` +
        `that is configured here (identity ${identity}). ${name === LOCAL ? LOCAL_REMEDY : `${REMEDY}. ${BROUGHT}`}`,
    );
  }
  if (name !== LOCAL) await assertMarked(documents, store, known);
}

const REMEDY =
  'Configure the same bucket, prefix, account and folder as the other processes and as before: where s3.prefix and the ' +
  "folder in Manta are not given, they are made of the datacenter's name, so that one with a new name has s3.prefix say " +
  'imgapi/ and the old name, or its folder in Manta renamed';
const BROUGHT =
  'If all objects were brought here from another store, write the identity that the documents know into this one: ' +
  'the object .identity beside s3.prefix, or identity in the folder of Manta';
const LOCAL_REMEDY =
  'Processes on several machines share no local files: leave "local" out of storageTypes, or give them one dataDir. ' +
  'If its files were moved here, bring the file storage/identity along';

async function noted(documents: Store, name: string, identity: string): Promise<KnownStore> {
  const { value } = await madeOnFirstUse(documents, STORES, name, () => {
    const since = new Date(documents.now()).toISOString();
    return { name, identity, since, mark: newUuid(), isMarked: false };
  });
  return value;
}

async function assertMarked(documents: Store, store: ObjectStore, { name, mark, isMarked }: KnownStore): Promise<void> {
  const found = await readMark(store);
  if (found !== undefined && found !== mark) {
    throw refusal(
      `what is configured as "${name}" belongs to other documents, such as those of another datacenter: give each a ` +
        `folder or prefix of its own. If those documents are lost, remove the object "${MARK}" from it`,
    );
  }
  if (found === undefined && isMarked) {
    throw refusal(
      `what is configured as "${name}" is not what these documents keep their files in: it lacks the object "${MARK}" ` +
        `(${mark}). ${REMEDY}`,
    );
  }
  if (found === undefined) await writeMark(store, mark);
  if (!isMarked) await updateObject(documents, STORES, name, (known) => ({ ...known, isMarked: true }));
}

async function readMark(store: ObjectStore): Promise<string | undefined> {
  try {
    const { stream } = await store.read(MARK, { end: LONGEST_MARK });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array));
    return Buffer.concat(pieces).toString();
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

async function writeMark(store: ObjectStore, mark: string): Promise<void> {
  const session = await store.open({ path: MARK, session: `mark.${newUuid()}`, once: true, essential: true });
  try {
    await session.append(Readable.from([Buffer.from(mark)]));
    await session.commit();
  } finally {
    await session.discard();
  }
}

function refusal(problem: string): ConfigError {
  return new ConfigError('storageTypes', [problem]);
}
