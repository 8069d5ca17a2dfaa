/** A running IMGAPI as what an import reads: manifests, files and icons over HTTP, in all states that it shows. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ByteStream } from '#lib/client/byte-stream.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { isObject } from '#lib/manifest/fields.ts';
import type { IconRecord } from '#lib/manifest/record.ts';
import { pause, timeLimit } from '#lib/runtime/timers.ts';
import { isUuid } from '#lib/text/uuid.ts';
import {
  type DataSource,
  type Fields,
  type Listed,
  type SourceBytes,
  UnreadableError,
  type WantedBytes,
} from '#src/takeover/sources/data-source.ts';

const LARGEST_ICON = 1024 * 1024;
const LONGEST_SHOWN = 100;
/** Manifests of which the bytes may still be asked for. */
const MOST_KNOWN = 32;
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);
const NOT_FOUND = 404;
const SERVER_ERRORS = 500;
const MOST_TRIES = 3;
const PAUSE_MS = 500;

export interface ServedLimits {
  /** Milliseconds in which a manifest or an icon must be here. */
  readonly timeout: number;
  /** More are no list of images any more: a server whose pages never end. */
  readonly mostImages: number;
}

const LIMITS: ServedLimits = { timeout: 60_000, mostImages: 1_000_000 };

interface Known {
  readonly image: Image;
  readonly icon?: { readonly record: IconRecord; readonly bytes: Buffer };
}

/** @param name as it is shown */
export function servedSource(client: ImgapiClient, name: string, limits: Partial<ServedLimits> = {}): DataSource {
  const served = new ServedImages(client, { ...LIMITS, ...limits });
  return {
    name,
    form: 'served',
    keyFolders: [],
    list: (signal) => served.list(signal),
    read: (uuid, signal) => served.read(uuid, signal),
    bytes: async (wanted) => served.bytes(wanted),
    close: () => client.destroy(),
  };
}

class ServedImages {
  readonly #client: ImgapiClient;
  readonly #limits: ServedLimits;
  readonly #known = new Map<string, Known>();
  /** Until the server refuses it. */
  #inclAdminFields = true;

  constructor(client: ImgapiClient, limits: ServedLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  async *list(signal: AbortSignal): AsyncGenerator<Listed> {
    let count = 0;
    for await (const { uuid, origin } of this.#client.listAll({ state: 'all' }, { signal, distrusts: true })) {
      count += 1;
      if (count > this.#limits.mostImages) throw endless(this.#limits.mostImages);
      if (isUuid(uuid)) yield { where: `/images/${uuid}`, uuid, ...(isUuid(origin) && { origin }) };
      else yield { where: `/images, image ${count}`, problem: `its uuid is ${shown(uuid)}` };
    }
  }

  async read(uuid: string, signal: AbortSignal): Promise<Fields> {
    const image = await this.#patiently(signal, (inTime) => this.#manifest(uuid, inTime));
    const stor = (image.files?.[0] as { stor?: string } | undefined)?.stor;
    const icon = image.icon ? await this.#patiently(signal, (inTime) => this.#icon(uuid, stor, inTime)) : undefined;
    if (this.#known.size >= MOST_KNOWN) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(uuid, { image, ...(icon && { icon }) });
    return { ...(image as unknown as Fields), icon: icon?.record };
  }

  bytes({ uuid, name }: WantedBytes): SourceBytes {
    const known = this.#known.get(uuid);
    if (name === 'icon') {
      const bytes = known?.icon?.bytes ?? Buffer.alloc(0);
      return { size: bytes.length, open: async (start) => Readable.from([bytes.subarray(start)]) };
    }
    const index = Number(name.slice('file'.length));
    return new ServedFile(this.#client, uuid, index, known?.image.files?.[index]?.size ?? 0);
  }

  async #manifest(uuid: string, signal: AbortSignal): Promise<Image> {
    const inclAdminFields = this.#inclAdminFields;
    try {
      return manifestOf(uuid, await this.#client.getImage(uuid, { signal, inclAdminFields }));
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      if (inclAdminFields && FORBIDDEN.has(error.statusCode)) {
        this.#inclAdminFields = false;
        return this.#manifest(uuid, signal);
      }
      throw new UnreadableError(`the server answers ${error.code}: ${error.message}`, { cause: error });
    }
  }

  /** What is wrong with a server for a moment costs no image. */
  async #patiently<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#inTime(signal, ask);
      } catch (error) {
        if (signal.aborted || tries >= MOST_TRIES || !mayPass(error)) throw error;
        await pause(PAUSE_MS * tries, signal);
      }
    }
  }

  /** Neither is large, and a server that sends it byte by byte would hold the import for ever. */
  async #inTime<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeout } = this.#limits;
    const limit = timeLimit(timeout);
    try {
      return await ask(AbortSignal.any([signal, limit]));
    } catch (error) {
      if (signal.aborted || !limit.aborted) throw error;
      throw new UnreadableError(`the server did not answer within ${timeout / 1000} s`, { cause: error });
    }
  }

  async #icon(uuid: string, stor = 'local', signal: AbortSignal): Promise<Known['icon']> {
    const { contentType, stream } = await this.#client.getImageIcon(uuid, { signal });
    const pieces: Uint8Array[] = [];
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      if (stream.bytes > LARGEST_ICON) throw new UnreadableError('its icon is larger than any may be');
    }
    const bytes = Buffer.concat(pieces);
    const hash = (algorithm: string, encoding: 'hex' | 'base64') =>
      createHash(algorithm).update(bytes).digest(encoding);
    const record = {
      sha1: hash('sha1', 'hex'),
      size: bytes.length,
      contentType,
      contentMD5: hash('md5', 'base64'),
      stor,
    };
    return { bytes, record };
  }
}

/** A server that cannot be reached at all is gone. */
function mayPass(error: unknown): boolean {
  const cause = error instanceof UnreadableError ? error.cause : error;
  if (cause instanceof ImgapiError) return cause.statusCode >= SERVER_ERRORS;
  return cause instanceof ImgapiUnreachableError && ['reset', 'short-body', 'answer-timeout'].includes(cause.fault);
}

/** @throws UnreadableError for what is not the manifest that was asked for */
function manifestOf(uuid: string, answer: unknown): Image {
  if (!isObject(answer)) throw new UnreadableError('the server answers with JSON that is no manifest');
  if (answer['uuid'] === uuid) return answer as unknown as Image;
  throw new UnreadableError(
    `the server answers with the manifest of another image: its uuid is ${shown(answer['uuid'])}`,
  );
}

function endless(count: number): ImgapiError {
  return new ImgapiError(`the server lists more than ${count} images`, { code: 'InvalidAnswer', statusCode: 200 });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, LONGEST_SHOWN);
}

class ServedFile implements SourceBytes {
  readonly size: number;
  /** Known once its first byte has come. */
  mtime?: string;
  readonly #client: ImgapiClient;
  readonly #uuid: string;
  readonly #index: number;

  constructor(client: ImgapiClient, uuid: string, index: number, size: number) {
    this.#client = client;
    this.#uuid = uuid;
    this.#index = index;
    this.size = size;
  }

  /** Today's IMGAPI knows no ranges: what is here already comes once more then, and is passed over. */
  async open(start: number, signal: AbortSignal): Promise<Readable> {
    const found = await this.#client
      .getImageFile(this.#uuid, { index: this.#index, start, signal })
      .catch((error: unknown) => {
        const isGone = error instanceof ImgapiError && error.statusCode === NOT_FOUND;
        throw isGone ? new UnreadableError(`file${this.#index}: ${error.message}`, { cause: error }) : error;
      });
    const modified = Date.parse(found.headers['last-modified'] ?? '');
    if (!Number.isNaN(modified)) this.mtime = new Date(modified).toISOString();
    return found.start < start ? Readable.from(after(found.stream, start - found.start)) : found.stream;
  }
}

async function* after(stream: ByteStream, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    const rest = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
