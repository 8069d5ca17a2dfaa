/** The files that the image records of a database promise. */

import { openSqliteStore } from '../documents/sqlite/store.ts';
import { imageObjectPath } from '../manifest/object-paths.ts';
import { IMAGES, type ImageRecord } from '../manifest/record.ts';
import { normalizeStored } from '../manifest/stored.ts';

/** A file that a record promises. */
export interface PromisedFile {
  readonly image: string;
  readonly name: string;
  /** `file0` or `icon`. */
  readonly file: string;
  /** Relative to the data folder. */
  readonly path: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256?: string | undefined;
  /** What an unfinished write may already have placed under this name. */
  readonly placing?: { readonly size: number; readonly sha1: string } | undefined;
}

export interface Promises {
  readonly images: number;
  readonly files: readonly PromisedFile[];
  /** How much lies in stores that are not on this machine, by the name of the store. */
  readonly shared: Readonly<Record<string, SharedFiles>>;
}

export interface SharedFiles {
  readonly files: number;
  readonly bytes: number;
}

const LOCAL = 'local';

/** Reads a database that no process is using. */
export async function readPromises(database: string): Promise<Promises> {
  const store = await openSqliteStore({ path: database });
  try {
    await store.open([IMAGES]);
    let images = 0;
    const files: PromisedFile[] = [];
    const shared: Record<string, SharedFiles> = {};
    for await (const found of store.scan(IMAGES, {})) {
      for (const { value } of found) {
        const record = normalizeStored(value);
        // What was deleted and can be restored is in the backup as well.
        if (record.state === 'deleting' && !record.kept) continue;
        images++;
        files.push(...promisedBy(record));
        for (const { stor, size } of [...(record.files ?? []), ...(record.icon ? [record.icon] : [])]) {
          if (isLocal(stor)) continue;
          const { files: known = 0, bytes = 0 } = shared[stor] ?? {};
          shared[stor] = { files: known + 1, bytes: bytes + size };
        }
      }
    }
    return { images, files, shared };
  } finally {
    await store.close();
  }
}

/** A record without `stor` is from an older IMGAPI, whose files are in the local store too. */
function isLocal(stor: string | undefined): boolean {
  return (stor ?? LOCAL) === LOCAL;
}

function promisedBy({ uuid, name, files = [], icon, intent }: ImageRecord): PromisedFile[] {
  const common = { image: uuid, name };
  const placing = (object: string) =>
    intent?.object === object ? { size: intent.size, sha1: intent.sha1 } : undefined;
  const at = (object: string) => ({ path: `storage/${object}`, placing: placing(object) });
  return [
    ...files.flatMap(({ size, sha1, sha256, stor }, index) =>
      isLocal(stor)
        ? [{ ...common, file: `file${index}`, ...at(imageObjectPath(uuid, `file${index}`)), size, sha1, sha256 }]
        : [],
    ),
    ...(icon && isLocal(icon.stor)
      ? [{ ...common, file: 'icon', ...at(imageObjectPath(uuid, 'icon')), size: icon.size, sha1: icon.sha1 }]
      : []),
  ];
}
