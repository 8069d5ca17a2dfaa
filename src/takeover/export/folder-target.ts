/**
 * A data folder of a standalone IMGAPI. Files are written before the record that names them; what is there already, of the
 * right size, is left, so that an export goes on where it was broken off. Bytes in Manta stay there.
 */
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ImageObjectName, imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, IconRecord } from '#lib/manifest/record.ts';
import { ObjectNotFoundError, ObjectTruncatedError } from '#lib/objects/errors.ts';
import { hasCode, ifThere } from '#lib/runtime/absence.ts';
import { makeFolder } from '#lib/runtime/make-folder.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { MANIFESTS } from '../../service/todays-records.ts';
import type { ExportTarget } from './export-data.ts';

const LOCAL = 'local';
const MANTA = 'manta';
const OWN_FOLDER = 0o700;
const OWN_FILE = 0o600;

export async function folderTarget(service: Service, folder: string): Promise<ExportTarget> {
  const manifests = join(folder, MANIFESTS);
  await makeFolder(manifests, OWN_FOLDER);
  return {
    async write(record, signal) {
      try {
        const files: FileRecord[] = [];
        for (const [i, file] of (record.files ?? []).entries()) {
          files.push({ ...file, stor: await bring(service, folder, record.uuid, `file${i}`, file, signal) });
        }
        const { icon } = record;
        const brought = icon && { ...icon, stor: await bring(service, folder, record.uuid, 'icon', icon, signal) };
        const written = { ...record, ...(record.files && { files }), ...(brought && { icon: brought }) };
        await put(join(manifests, `${record.uuid}.raw`), JSON.stringify(written, null, 2));
        return undefined;
      } catch (error) {
        if (!(error instanceof ObjectNotFoundError || error instanceof ObjectTruncatedError)) throw error;
        return error.message;
      }
    },
    finish: () => exportKeys(service, join(folder, 'etc', 'authkeys', 'local')),
  };
}

/** Returns the store that today's IMGAPI finds it in. */
async function bring(
  service: Service,
  folder: string,
  uuid: string,
  name: ImageObjectName,
  { stor, size }: FileRecord | IconRecord,
  signal: AbortSignal,
): Promise<string> {
  if (stor === MANTA) return MANTA;
  const path = imageObjectPath(uuid, name);
  const target = join(folder, path);
  if ((await ifThere(stat(target)))?.size === size) return LOCAL;
  await mkdir(dirname(target), { recursive: true, mode: OWN_FOLDER });
  const draft = `${target}.${newUuid()}`;
  try {
    const own = stor === LOCAL ? join(service.config.dataDir, 'storage', path) : undefined;
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

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOENT')) return false;
    throw error;
  }
}

async function put(file: string, text: string): Promise<void> {
  const draft = join(dirname(file), `.${newUuid()}`);
  await writeFile(draft, text, { mode: OWN_FILE, flush: true });
  await rename(draft, file);
}

async function exportKeys({ config }: Service, folder: string): Promise<void> {
  const ours = join(config.dataDir, 'authkeys');
  const names = ((await ifThere(readdir(ours))) ?? []).filter((name) => name.endsWith('.keys'));
  if (names.length > 0) await makeFolder(folder, OWN_FOLDER);
  for (const name of names) await copyFile(join(ours, name), join(folder, name));
}
