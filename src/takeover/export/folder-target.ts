/**
 * A data folder of a standalone IMGAPI. Files are written before the record that names them; the right bytes, if they are
 * there already, are left, so that an export goes on where it was broken off. Bytes in Manta stay there.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord } from '#lib/manifest/record.ts';
import { ObjectNotFoundError, ObjectTruncatedError } from '#lib/objects/errors.ts';
import { hasCode, ifThere } from '#lib/runtime/absence.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import { writeWhole } from '#lib/runtime/write-whole.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { MANIFESTS, RAW_RECORD } from '../../service/todays-records.ts';
import type { ExportTarget } from './export-data.ts';

const LOCAL = 'local';
const MANTA = 'manta';
const OWN_FOLDER = 0o700;
const OWN_FILE = 0o600;

export async function folderTarget(service: Service, folder: string): Promise<ExportTarget> {
  const manifests = join(folder, MANIFESTS);
  await makeFolder(manifests, OWN_FOLDER);
  const written = new Set<string>();
  return {
    async write(record, signal) {
      written.add(record.uuid);
      try {
        const files: FileRecord[] = [];
        for (const [i, file] of (record.files ?? []).entries()) {
          files.push({ ...file, stor: await bring(service, folder, record.uuid, `file${i}`, file, signal) });
        }
        const { icon } = record;
        const brought = icon && { ...icon, stor: await bring(service, folder, record.uuid, 'icon', icon, signal) };
        const raw = { ...record, ...(record.files && { files }), ...(brought && { icon: brought }) };
        await writeWhole(join(manifests, `${record.uuid}.raw`), JSON.stringify(raw, null, 2));
        return undefined;
      } catch (error) {
        if (!(error instanceof ObjectNotFoundError || error instanceof ObjectTruncatedError)) throw error;
        return error.message;
      }
    },
    async finish() {
      await exportKeys(service, join(folder, 'etc', 'authkeys', 'local'));
      const there = (await readdir(manifests)).flatMap((name) => RAW_RECORD.exec(name)?.[1] ?? []);
      const why = (uuid: string) => `it is not here; remove ${MANIFESTS}/${uuid}.raw, or today's IMGAPI serves it`;
      return there.filter((uuid) => !written.has(uuid)).map((uuid) => ({ uuid, why: why(uuid) }));
    },
  };
}

/** Returns the store that today's IMGAPI finds it in. */
async function bring(
  service: Service,
  folder: string,
  uuid: string,
  name: ImageObjectName,
  file: FileRecord | IconRecord,
  signal: AbortSignal,
): Promise<string> {
  const { stor } = file;
  if (stor === MANTA) return MANTA;
  const path = imageObjectPath(uuid, name);
  const target = join(folder, path);
  const own = stor === LOCAL ? join(service.config.dataDir, 'storage', path) : undefined;
  if (await isThere(target, own, file, signal)) return LOCAL;
  await makeFolder(dirname(target), OWN_FOLDER);
  const draft = `${target}.${newUuid()}`;
  try {
    if (own === undefined || !(await linked(own, draft))) {
      const { stream } = await service.storages.named(stor).read(path, { signal });
      const handle = await open(draft, 'wx', OWN_FILE);
      await pipeline(stream, handle.createWriteStream({ flush: true }), { signal });
    }
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
  return LOCAL;
}

/** Whether what lies there is right: it is our own file, or has its hash; the size alone says little of a disk's image. */
async function isThere(
  target: string,
  own: string | undefined,
  { size, sha1 }: FileRecord | IconRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const there = await ifThere(lstat(target));
  if (!there?.isFile() || there.size !== size) return false;
  const ours = own === undefined ? undefined : await ifThere(lstat(own));
  if (ours?.ino === there.ino && ours.dev === there.dev) return true;
  const hash = createHash('sha1');
  await pipeline(createReadStream(target), hash, { signal });
  return hash.digest('hex') === sha1;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOENT')) return false;
    throw error;
  }
}

async function exportKeys({ config }: Service, folder: string): Promise<void> {
  const ours = join(config.dataDir, 'authkeys');
  const names = ((await ifThere(readdir(ours))) ?? []).filter((name) => name.endsWith('.keys'));
  if (names.length > 0) await makeFolder(folder, OWN_FOLDER);
  for (const name of names) await copyFile(join(ours, name), join(folder, name));
}
