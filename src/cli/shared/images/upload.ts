/** Sends a file of this machine as the file of an image, and shows how far it is. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { CallOptions } from '#lib/client/caller.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { UploadParameters } from '#lib/client/parameters.ts';
import { COMPRESSIONS, type Compression } from '#lib/manifest/record.ts';
import { CommandError } from '../../framework/errors.ts';
import { formatBytes, formatShare } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { fileProblem } from '../file-problem.ts';
import { type Begun, KEPT, untilAnswered, untilStored } from './resume-upload.ts';
import { UploadProgress } from './upload-progress.ts';

export const MANIFEST_OPTION = {
  type: 'value',
  short: 'm',
  value: 'FILE',
  help: 'A manifest in JSON; what FIELD=VALUE says wins over it.',
} as const;
export const FILE_OPTION = { type: 'value', short: 'f', value: 'FILE', help: "The image's file, to upload." } as const;

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

/** An image, whichever API shows it. */
interface Stored {
  readonly files?:
    | readonly { readonly sha1: string; readonly size: number; readonly compression?: string | undefined }[]
    | undefined;
}

type WholeFile = UploadParameters & { readonly size: number; readonly sha1: string };

/** A client of IMGAPI or CloudAPI. */
export interface TakesFiles<I extends Stored> {
  getImage(uuid: string, options: CallOptions): Promise<I>;
  beginImageUpload(uuid: string, file: WholeFile, options: CallOptions): Promise<Begun>;
  getImageUpload(uuid: string, upload: string, options: CallOptions): Promise<Begun>;
  appendImageUpload(
    uuid: string,
    upload: string,
    source: AsyncIterable<Uint8Array>,
    part: { readonly offset: number; readonly size: number },
    options: CallOptions,
  ): Promise<I | undefined>;
  /** In one request. Absent: every upload can be gone on with. */
  addImageFile?(
    uuid: string,
    source: AsyncIterable<Uint8Array>,
    file: UploadParameters,
    options: CallOptions,
  ): Promise<I>;
}

export interface Upload<I extends Stored> {
  readonly client: TakesFiles<I>;
  readonly uuid: string;
  readonly file: LocalFile;
  readonly storage: string | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Bytes from which on an upload can be gone on with; what is smaller is sent again sooner than it is asked for. */
const WORTH_RESUMING = 16 * 1024 ** 2;

/**
 * What is to be sent, before anything is asked of a server.
 * @param compression as its user says; `none` is taken whatever its first bytes say
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
    const found = compressionOf(buffer);
    const said = compression !== undefined && isCompression(compression) ? compression : found;
    // Nobody could unpack it.
    if (said !== 'none' && said !== found) throw new Error(`it does not begin as ${said} does${beginningWords(found)}`);
    return { path, size: stats.size, compression: said };
  } catch (error) {
    throw new CommandError(`${path} cannot be uploaded: ${fileProblem(error)}`, { code: 'LocalFile', cause: error });
  } finally {
    await file?.close();
  }
}

/**
 * A large file goes on where an earlier upload of it stopped, and an interrupted one is gone on with by the same command. A
 * small one is sent again.
 * @throws CommandError UploadDiffers when the server has other bytes than were sent; UploadsOff when it takes none
 */
export async function uploadFile<I extends Stored>(upload: Upload<I>): Promise<I> {
  const { client, uuid, file, output, signal } = upload;
  // Before the file is read, which may take long: whoever cannot be asked is told at once.
  const there = await client.getImage(uuid, { signal });
  const sha1 = await sha1Of(file, output, signal);
  // The answer to an earlier upload may have been lost.
  if (hasFile(there, file, sha1)) return there;
  const isShort = client.addImageFile !== undefined && file.size < WORTH_RESUMING;
  const image = (isShort ? undefined : await sendResumable(upload, sha1)) ?? (await sendWhole(upload, sha1));
  assertStored(image, uuid, sha1);
  return image;
}

/** How it is compressed is what was said of it, which may have been wrong. */
function hasFile({ files: [stored] = [] }: Stored, { size, compression }: LocalFile, sha1: string): boolean {
  if (stored?.sha1 !== sha1 || stored.size !== size) return false;
  return stored.compression === undefined || stored.compression === compression;
}

/** In one request: again from the beginning when it breaks off, unless only its answer was lost. */
async function sendWhole<I extends Stored>(upload: Upload<I>, sha1: string): Promise<I> {
  const { client, uuid, file, storage, output, signal } = upload;
  if (!client.addImageFile) throw uploadsOff();
  const { size, compression } = file;
  const parameters = { compression, size, ...(storage !== undefined && { storage }) };
  const progress = new UploadProgress(output, size);
  const begun = { uuid, offset: 0 };
  let isAgain = false;
  const image = await untilStored<I>({
    ...waiting(upload),
    begun,
    advice: 'the same upload sends it again',
    look: async () => begun,
    async append() {
      if (isAgain) {
        const there = await client.getImage(uuid, { signal });
        if (hasFile(there, file, sha1)) return there;
      }
      isAgain = true;
      progress.startAt(0);
      const source = readingFrom(file, 0, signal, ({ length }) => progress.sent(length));
      return client.addImageFile?.(uuid, source, parameters, { signal });
    },
  });
  progress.end();
  return image;
}

/** Undefined if the server knows no uploads that go on. */
async function sendResumable<I extends Stored>(upload: Upload<I>, sha1: string): Promise<I | undefined> {
  const { client, uuid, file, storage, output, signal } = upload;
  const { size, compression } = file;
  const parameters = { compression, size, sha1, ...(storage !== undefined && { storage }) };
  let begun: Begun;
  try {
    begun = await untilAnswered(() => client.beginImageUpload(uuid, parameters, { signal }), waiting(upload));
  } catch (error) {
    if (isUnknown(error)) return undefined;
    throw error;
  }
  if (begun.offset > 0) output.note(`Going on with an earlier upload, at ${formatShare(begun.offset, size)}.`);
  const progress = new UploadProgress(output, size);
  const image = await untilStored({
    ...waiting(upload),
    begun,
    advice: KEPT,
    look: () => client.getImageUpload(uuid, begun.uuid, { signal }),
    append(offset) {
      progress.startAt(offset);
      const source = readingFrom(file, offset, signal, (chunk) => progress.sent(chunk.length));
      return client.appendImageUpload(uuid, begun.uuid, source, { offset, size: size - offset }, { signal });
    },
  });
  progress.end();
  return image;
}

function waiting({ output, signal }: Pick<Upload<Stored>, 'output' | 'signal'>) {
  return { signal, note: (text: string) => output.note(text) };
}

/** Whether it has to be activated still. */
function isWaiting({ state }: { readonly state?: string }): boolean {
  return state === undefined || state === 'unactivated';
}

/**
 * Of an image whose file is there. What was done and not answered is no failure.
 * @param uploaded as the upload has left it: when a command is run again, all of it may have been done
 */
export async function activateUploaded<I extends Stored & { readonly state?: string }>({
  client,
  uuid,
  uploaded,
  ...rest
}: Pick<Upload<I>, 'uuid' | 'output' | 'signal'> & {
  readonly uploaded?: I;
  readonly client: Pick<TakesFiles<I>, 'getImage'> & {
    activateImage(uuid: string, options: CallOptions): Promise<I>;
  };
}): Promise<I> {
  if (uploaded && !isWaiting(uploaded)) return uploaded;
  const { signal } = rest;
  let isAgain = false;
  return untilAnswered(async () => {
    try {
      return await client.activateImage(uuid, { signal });
    } catch (error) {
      if (isAgain && error instanceof ImgapiError && error.code === 'ImageAlreadyActivated') {
        return client.getImage(uuid, { signal });
      }
      isAgain = true;
      throw error;
    }
  }, waiting(rest));
}

/** Servers of before answer that there is no such path, or no such version. */
function isUnknown(error: unknown): boolean {
  return (
    error instanceof ImgapiError &&
    (error.code === 'InvalidVersion' || (error.statusCode === 404 && /\/uploads does not exist/.test(error.message)))
  );
}

async function* readingFrom(
  { path, size }: LocalFile,
  start: number,
  signal: AbortSignal,
  passing: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  if (start >= size) return;
  for await (const chunk of createReadStream(path, { start, end: size - 1, highWaterMark: 1 << 18, signal })) {
    yield chunk as Uint8Array;
    passing(chunk as Uint8Array);
  }
}

async function sha1Of(file: LocalFile, output: Output, signal: AbortSignal): Promise<string> {
  const progress = new UploadProgress(output, file.size, 'reading');
  const hash = createHash('sha1');
  for await (const chunk of readingFrom(file, 0, signal, ({ length }) => progress.sent(length))) hash.update(chunk);
  progress.clear();
  return hash.digest('hex');
}

/** @param cause what the server answered */
export function uploadsOff(cause?: unknown): CommandError {
  return new CommandError('this CloudAPI takes no files', {
    code: 'UploadsOff',
    details: ['its operator decides that: "uploads" in its configuration'],
    cause,
  });
}

function assertStored({ files: [stored] = [] }: Stored, uuid: string, sent: string): void {
  if (stored?.sha1 === sent) return;
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

function beginningWords(found: Compression): string {
  return found === 'none' ? '' : `, but as ${found}`;
}

/** By the first bytes, as each form begins with. */
function compressionOf(beginning: Buffer): Compression {
  const hex = beginning.toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('425a68')) return 'bzip2';
  return hex === 'fd377a585a00' ? 'xz' : 'none';
}
