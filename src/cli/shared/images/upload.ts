/** Sends a file of this machine as the file of an image, and shows how far it is. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { COMPRESSIONS, type Compression } from '#lib/manifest/record.ts';
import { CommandError } from '../../framework/errors.ts';
import { formatBytes, formatRate, formatShare } from '../../output/bytes.ts';
import { formatDuration } from '../../output/duration.ts';
import { LiveRegion } from '../../output/live-region.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { truncate } from '../../output/text-width.ts';

const REDRAW_MS = 200;

export const UPLOAD_OPTIONS = {
  compression: {
    type: 'value',
    short: 'c',
    value: 'HOW',
    help: `How the file is compressed: ${COMPRESSIONS.join(', ')}. Default: what its first bytes say.`,
    check: (value: string) => (isCompression(value) ? undefined : `one of ${COMPRESSIONS.join(', ')}`),
  },
  storage: { type: 'value', value: 'NAME', help: 'The object store to put the file in, instead of the usual one.' },
} as const;

export interface LocalFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly compression: Compression;
}

export interface Upload {
  readonly client: Pick<ImgapiClient, 'addImageFile'>;
  readonly uuid: string;
  readonly file: LocalFile;
  readonly storage: string | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/**
 * What is to be sent, before anything is asked of a server.
 * @param compression by which it is taken, whatever its first bytes say
 * @throws CommandError LocalFile
 */
export async function localFile(path: string, compression: string | undefined): Promise<LocalFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    if (stats.size === 0) throw new Error('it is empty');
    const { buffer } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const found = compression !== undefined && isCompression(compression) ? compression : compressionOf(buffer);
    return { path, size: stats.size, compression: found };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} cannot be uploaded: ${why}`, { code: 'LocalFile', cause: error });
  } finally {
    await file?.close();
  }
}

/** @throws CommandError UploadDiffers when the server has other bytes than were sent */
export async function uploadFile({ client, uuid, file, storage, output, signal }: Upload): Promise<Image> {
  const { path, size, compression } = file;
  const progress = new Progress(output, size);
  const hash = createHash('sha1');
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: 1 << 18, signal })) {
      hash.update(chunk as Uint8Array);
      yield chunk as Uint8Array;
      progress.sent((chunk as Uint8Array).length);
    }
  }
  const parameters = { compression, size, ...(storage !== undefined && { storage }) };
  const image = await client.addImageFile(uuid, counted(), parameters, { signal });
  progress.end();
  const sent = hash.digest('hex');
  const [stored] = image.files;
  if (stored?.sha1 === sent) return image;
  throw new CommandError(`image ${uuid} has a file with the SHA-1 ${stored?.sha1}, but ${sent} was sent`, {
    code: 'UploadDiffers',
    details: ['the file may have been changed meanwhile; upload it again'],
  });
}

/** `8 MiB of root.tar.gz (gzip)` */
export function uploadedWords({ path, size, compression }: LocalFile): string {
  return printable(`${formatBytes(size)} of ${path} (${compression})`);
}

function isCompression(value: string): value is Compression {
  return (COMPRESSIONS as readonly string[]).includes(value);
}

/** By the first bytes, as each form begins with. */
function compressionOf(beginning: Buffer): Compression {
  const hex = beginning.toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('425a68')) return 'bzip2';
  return hex === 'fd377a585a00' ? 'xz' : 'none';
}

/** A line on a terminal that is redrawn; nothing elsewhere. */
class Progress {
  readonly #output: Output;
  readonly #region: LiveRegion;
  readonly #size: number;
  readonly #began = Date.now();
  #drawnAt = 0;
  #bytes = 0;

  constructor(output: Output, size: number) {
    this.#output = output;
    this.#region = new LiveRegion(output);
    this.#size = size;
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
    if (Date.now() - this.#drawnAt >= REDRAW_MS) this.#draw('');
  }

  end(): void {
    this.#draw('  stored');
  }

  #draw(end: string): void {
    const { terminal } = this.#output;
    if (!terminal) return;
    this.#drawnAt = Date.now();
    const rate = this.#bytes / Math.max(0.001, (Date.now() - this.#began) / 1000);
    const left = end === '' && rate > 0 ? `  ${formatDuration((this.#size - this.#bytes) / rate)} left` : end;
    const percent = `${Math.floor((this.#bytes / this.#size) * 100)}%`.padStart(4);
    const words = `${percent}  ${formatShare(this.#bytes, this.#size)}  ${formatRate(rate)}${left}`;
    this.#region.draw([truncate(`uploading  ${words}`, terminal.columns - 1)]);
  }
}
