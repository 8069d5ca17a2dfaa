/**
 * ExportImage: the file and the manifest of an image, as two objects in Manta for somebody else. The file is written first,
 * so a manifest there always says something about bytes that are there. Manta shows neither before it is whole.
 */

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ExportedImage } from '#lib/api/schemas/service.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { Compression, FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { travellingManifest } from '#lib/manifest/travel.ts';
import { InvalidPathError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Service } from '../service/service.ts';
import { assertNotQuarantined } from './files/findings.ts';
import { followingMoves } from './files/following-moves.ts';
import { fileDamaged, storedObject } from './files/stored-object.ts';
import { showsReplacementTo } from './record/deprecation.ts';
import { serializeToKeep } from './record/serialize.ts';

const EXTENSIONS: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', bzip2: '.bz2', xz: '.xz' };

/** Only Manta has places for others. @throws 503 StorageUnsupported */
export function exportStore({ storages }: Pick<Service, 'storages'>): ObjectStore {
  const manta = storages.find('manta');
  if (manta) return manta;
  throw new ApiError('StorageUnsupported', 'export needs Manta storage, and there is none here');
}

/** The file to export. @throws 404 without a file, 400 NotImplemented with several */
export function exportedFile({ uuid, files = [] }: ImageRecord): FileRecord {
  const [file, ...others] = files;
  if (!file) throw new ApiError('ResourceNotFound', `image "${uuid}" has no file to export`);
  if (others.length === 0) return file;
  throw new ApiError(
    'NotImplemented',
    `image "${uuid}" has ${files.length} files; only images with one can be exported`,
  );
}

/**
 * @param to an absolute path in Manta: a directory, or what both names begin with
 * @throws 422 where Manta lets nothing be written; 503 StorageIsDown, FileDamaged
 */
export async function exportImage(
  service: Service,
  record: ImageRecord,
  to: string,
  signal: AbortSignal,
): Promise<Pick<ExportedImage, 'image_path' | 'manifest_path'>> {
  const target = exportStore(service);
  try {
    const base = (await target.isForeignDirectory(to)) ? `${to}/${fileName(record)}` : to;
    const image_path = `${base}.zfs${EXTENSIONS[exportedFile(record).compression]}`;
    const manifest_path = `${base}.imgmanifest`;
    await followingMoves(service, record, (current) => exportFile(service, current, image_path, signal));
    await service.faults.reach('export:file-written');
    const { mode } = service.config;
    const showsReplacement = await showsReplacementTo(service, record, record.owner);
    const manifest = travellingManifest(serializeToKeep(record, { mode, showsReplacement }), 'export');
    await exportText(target, manifest_path, JSON.stringify(manifest, null, 4), signal);
    return { image_path, manifest_path };
  } catch (error) {
    if (!(error instanceof InvalidPathError)) throw error;
    throw invalidParameter('manta_path', `manta_path is "${to}"; ${error.message}`);
  }
}

/** A slash would make a directory of it. */
function fileName({ name, version }: ImageRecord): string {
  return `${name}-${version}`.replaceAll('/', '-');
}

async function exportFile(service: Service, record: ImageRecord, path: string, signal: AbortSignal): Promise<void> {
  const file = exportedFile(record);
  assertNotQuarantined(record, 0);
  const source = service.storages.named(file.stor);
  const from = imageObjectPath(record.uuid, 'file0');
  const what = `file0 of image "${record.uuid}"`;
  await storedObject(service.log, { storage: source, path: from, size: file.size, what });
  const md5 = file.contentMD5 ?? (await md5Of(source, from, file, what, signal));
  async function* body(): AsyncGenerator<Uint8Array> {
    if (file.size === 0) return;
    const { stream } = await source.read(from, { end: file.size - 1, signal });
    yield* checked(stream, file, what);
  }
  await exportStore(service).exportTo(path, body, { size: file.size, md5, signal });
}

/** Ends with an error instead of the last piece if the bytes are not those of the record: so Manta drops them. */
async function* checked(stream: AsyncIterable<Uint8Array>, file: FileRecord, what: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha1');
  let size = 0;
  for await (const piece of stream) {
    hash.update(piece);
    size += piece.length;
    if (size >= file.size) {
      const sha1 = hash.digest('hex');
      if (sha1 !== file.sha1) throw fileDamaged(what, `its bytes have sha1 ${sha1}, not ${file.sha1}`);
      yield piece;
      return;
    }
    yield piece;
  }
}

/** For files that an older IMGAPI stored. */
async function md5Of(
  storage: ObjectStore,
  path: string,
  { sha1, size }: FileRecord,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  const hashes = await storage.hash(path, signal);
  if (hashes.sha1 !== sha1 || hashes.size !== size) {
    throw fileDamaged(what, `its bytes have sha1 ${hashes.sha1}, not ${sha1}`);
  }
  return hashes.md5;
}

async function exportText(target: ObjectStore, path: string, text: string, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(text);
  const md5 = createHash('md5').update(bytes).digest('base64');
  await target.exportTo(path, () => Readable.from([bytes]), { size: bytes.length, md5, signal });
}
