/** What the image records of a database say about files. */

import { openSqliteStore } from '../documents/sqlite/store.ts';
import { imageObjectPath } from '../manifest/object-paths.ts';
import { IMAGES, type ImageRecord } from '../manifest/record.ts';
import { normalizeStored } from '../manifest/stored.ts';

/** A file that a record promises. */
export interface PromisedFile {
  readonly image: string;
  readonly name: string;
  /** `file0`, `icon`. */
  readonly file: string;
  /** Below the data folder. */
  readonly path: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256?: string | undefined;
  /** What an interrupted writer may have placed under this name already. */
  readonly placing?: { readonly size: number; readonly sha1: string } | undefined;
}

export interface Promises {
  readonly images: number;
  readonly files: readonly PromisedFile[];
}

const PAGE = 500;
const LOCAL = 'local';

/** Reads a database that no process is using. */
export async function readPromises(database: string): Promise<Promises> {
  const store = await openSqliteStore({ path: database });
  try {
    await store.open([IMAGES]);
    let images = 0;
    const files: PromisedFile[] = [];
    for (let key = ''; ; ) {
      const page = await store.find(IMAGES, { after: { value: null, key }, limit: PAGE });
      for (const { value } of page) {
        const record = normalizeStored(value);
        if (record.state === 'deleting') continue;
        images++;
        files.push(...promisedBy(record));
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) return { images, files };
      key = last.key;
    }
  } finally {
    await store.close();
  }
}

function promisedBy({ uuid, name, files = [], icon, intent }: ImageRecord): PromisedFile[] {
  const common = { image: uuid, name };
  const placing = (object: string) =>
    intent?.object === object ? { size: intent.size, sha1: intent.sha1 } : undefined;
  const at = (object: string) => ({ path: `storage/${object}`, placing: placing(object) });
  return [
    ...files.flatMap(({ size, sha1, sha256, stor }, index) =>
      // Without `stor` it is a record of an older IMGAPI, whose files lie here as well.
      (stor ?? LOCAL) === LOCAL
        ? [{ ...common, file: `file${index}`, ...at(imageObjectPath(uuid, `file${index}`)), size, sha1, sha256 }]
        : [],
    ),
    ...(icon && (icon.stor ?? LOCAL) === LOCAL
      ? [{ ...common, file: 'icon', ...at(imageObjectPath(uuid, 'icon')), size: icon.size, sha1: icon.sha1 }]
      : []),
  ];
}
