/** The tree in which today's IMGAPI keeps the files of images: `images/UUI/UUID/{file0,icon}` below its data folder. */
import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { hasCode, ifThere } from '#lib/runtime/absence.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { type SourceBytes, UnreadableError, type WantedBytes } from './data-source.ts';

const LOCAL = 'local';

export class ImageFiles {
  readonly #folder: string | undefined;

  /** @param folder the one that holds `images`; undefined: there is none */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** @throws UnreadableError */
  async find({ uuid, name, stor }: WantedBytes): Promise<SourceBytes> {
    if (stor !== LOCAL) throw new UnreadableError(`${name} is in the store "${stor}", which is not configured here`);
    if (this.#folder === undefined) {
      throw new UnreadableError(`${name} is a local file, and no folder of files was named: add --files`);
    }
    if (!isUuid(uuid)) throw new UnreadableError(`${uuid} is not a UUID`);
    const path = join(this.#folder, imageObjectPath(uuid, name));
    const file = await this.#real(path).catch((error: unknown) => {
      throw hasCode(error, 'EACCES', 'EPERM', 'ELOOP') ? new UnreadableError((error as Error).message) : error;
    });
    if (file === undefined) throw new UnreadableError(`${name} is missing: there is no ${path}`);
    const found = await stat(file);
    if (!found.isFile()) throw new UnreadableError(`${path} is not a regular file`);
    return {
      file,
      size: found.size,
      mtime: found.mtime.toISOString(),
      open: async (start) => (await openFile(file)).createReadStream({ start, highWaterMark: 1024 * 1024 }),
    };
  }

  /** The tree itself may be a link to another disk; what is in it must not lead out of it. */
  async #real(path: string): Promise<string | undefined> {
    const tree = await ifThere(realpath(join(this.#folder ?? '', 'images')));
    const file = tree === undefined ? undefined : await ifThere(realpath(path));
    if (tree === undefined || file === undefined) return undefined;
    if (!file.startsWith(tree + sep)) throw new UnreadableError(`${path} leads out of ${tree}, to ${file}`);
    return file;
  }
}

async function openFile(file: string) {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw new UnreadableError((error as Error).message, { cause: error });
  }
}
