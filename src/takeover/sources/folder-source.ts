/**
 * The data folder of a standalone IMGAPI: `manifests/UUID.raw`, the tree of files, and keys. Records are files named after
 * their images; whatever a record says of paths is ignored.
 */
import { lstat, opendir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, ifThere } from '#lib/runtime/absence.ts';
import { MANIFESTS, RAW_RECORD } from '../../service/todays-records.ts';
import { type DataSource, type Listed, UnreadableError, type WantedBytes } from './data-source.ts';
import { ImageFiles } from './image-files.ts';
import { LARGEST_RECORD, listedRecord, parseRecord } from './read-record.ts';

const KEY_FOLDERS = ['local', 'manta'].map((name) => join('etc', 'authkeys', name));

/** @param files the folder that holds `images`; default: the folder itself @throws UnreadableError if it is none */
export async function folderSource(folder: string, files?: string): Promise<DataSource> {
  const root = await realpath(folder);
  const manifests = join(root, MANIFESTS);
  if (!(await ifThere(lstat(manifests)))) {
    throw new UnreadableError(`${folder} is not the data folder of an IMGAPI: it has no folder ${MANIFESTS}`);
  }
  const images = new ImageFiles(files ?? root);
  return {
    name: root,
    form: 'stored',
    keyFolders: KEY_FOLDERS.map((name) => join(root, name)),
    list: () => listFolder(manifests),
    read: async (uuid) => parseRecord(await readRaw(join(manifests, `${uuid}.raw`))),
    bytes: (wanted: WantedBytes) => images.find(wanted),
    close: async () => {},
  };
}

async function* listFolder(manifests: string): AsyncGenerator<Listed> {
  for await (const { name } of await opendir(manifests)) {
    if (name.startsWith('.')) continue;
    const where = join(MANIFESTS, name);
    const uuid = RAW_RECORD.exec(name)?.[1];
    if (uuid === undefined) yield { where, problem: 'its name is not that of a record, UUID.raw' };
    else yield await listed(where, join(manifests, name), uuid);
  }
}

async function listed(where: string, file: string, uuid: string): Promise<Listed> {
  try {
    const bytes = await readRaw(file);
    return listedRecord(where, () => parseRecord(bytes), uuid);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return { where, uuid, problem: error.message };
  }
}

async function readRaw(file: string): Promise<Buffer> {
  try {
    const found = await lstat(file);
    if (!found.isFile()) throw new UnreadableError('it is not a regular file');
    if (found.size > LARGEST_RECORD) throw new UnreadableError(`it has ${found.size} bytes, more than any record`);
    return await readFile(file);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP')) throw error;
    throw new UnreadableError((error as Error).message, { cause: error });
  }
}
