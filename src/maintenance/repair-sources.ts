/**
 * Who may have the right bytes of a damaged file: other images here with the same file, whose bytes may be others on the
 * disk, and the linked datacenters.
 */
import type { Readable } from 'node:stream';
import { imageObjectPath, type Which } from '#lib/manifest/object-paths.ts';
import { type FileRecord, objectRecord } from '#lib/manifest/record.ts';
import type { ImageSource } from '../datacenters/sources/source.ts';
import { sourcesOfRepair } from '../datacenters/sources/sources.ts';
import { allWithHash, type FileHere } from '../images/files/file-hashes.ts';
import { isQuarantined } from '../images/files/findings.ts';
import type { StoredImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';
import type { RepairSource, Wanted } from './repair.ts';

/** Those here come first: nothing has to be brought. */
export async function repairSources(service: Service, image: StoredImage, which: Which): Promise<RepairSource[]> {
  const here = await twinsOf(service, image, which);
  return [
    ...here
      .filter(({ image: { value }, index }) => !isQuarantined(value, index))
      .map((twin) => fromHere(service, twin)),
    ...(await sourcesOfRepair(service)).map(fromDatacenter),
  ];
}

/** Files with the same bytes by their records: on local disks their bytes may be the very same ones. */
export async function twinsOf(service: Service, { value: image }: StoredImage, which: Which): Promise<FileHere[]> {
  const { sha256 } = (objectRecord(image, which) ?? {}) as Partial<FileRecord>;
  if (sha256 === undefined) return [];
  const isItself = (twin: FileHere): boolean => twin.image.key === image.uuid && twin.index === which;
  return (await allWithHash(service, sha256)).filter((twin) => !twin.image.value.copy && !isItself(twin));
}

function fromHere(service: Service, { image, index, file }: FileHere): RepairSource {
  return {
    name: `image ${image.key}`,
    async read({ signal }) {
      const path = imageObjectPath(image.key, `file${index}`);
      const range = file.size > 0 ? { end: file.size - 1 } : {};
      return (await service.storages.named(file.stor).read(path, { ...range, signal })).stream;
    },
  };
}

/** Asks as the image's owner, as in a copy. */
export function fromDatacenter(source: ImageSource): RepairSource {
  return {
    name: source.name,
    read: (wanted) => (wanted.which === 'icon' ? icon(source, wanted) : file(source, wanted, wanted.which)),
  };
}

async function file(source: ImageSource, wanted: Wanted, index: number): Promise<Readable> {
  const { image, file: damaged, signal } = wanted;
  const request = { account: image.owner, index, start: 0, sha1: damaged.sha1, signal };
  return (await source.getFile(image.uuid, request)).stream;
}

async function icon(source: ImageSource, { image, signal }: Wanted): Promise<Readable> {
  const found = await source.getIcon(image.uuid, image.owner, signal);
  if (found) return found.stream;
  throw new Error('it has no icon of this image');
}
