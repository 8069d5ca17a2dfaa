/** What a move of the files would do. Writes nothing. */
import { invalidParameter } from '#lib/api/errors/api-error.ts';
import { type FileRecord, type IconRecord, IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../service/service.ts';
import type { Planned } from './orders.ts';

export interface FilesAt {
  readonly images: number;
  readonly bytes: number;
}

/** @throws 422 */
export async function planFiles(service: Service, to: string, from = 'local'): Promise<Planned> {
  const { names } = service.storages;
  for (const [parameter, name] of Object.entries({ to, from })) {
    if (names.includes(name)) continue;
    throw invalidParameter(parameter, `${parameter} is "${name}"; the stores here are: ${names.join(', ')}`);
  }
  if (to === from) throw invalidParameter('to', `to is "${to}", as is from`);
  const { images, bytes } = await filesAt(service, from);
  return { kind: 'files', from, to, total: images, bytes_total: bytes };
}

/** The images that have a file or an icon in that store. */
export async function filesAt({ store }: Pick<Service, 'store'>, stor: string): Promise<FilesAt> {
  let images = 0;
  let bytes = 0;
  for await (const piece of store.scan(IMAGES, {})) {
    for (const { value } of piece) {
      const found = objectsAt(value, stor);
      if (found.length > 0) images += 1;
      for (const { size } of found) bytes += size;
    }
  }
  return { images, bytes };
}

export function objectsAt({ files = [], icon }: ImageRecord, stor: string): (FileRecord | IconRecord)[] {
  return [...files, ...(icon ? [icon] : [])].filter((file) => file.stor === stor);
}
