/** A running IMGAPI as what an import reads: manifests, files and icons over HTTP, in all states that it shows. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ByteStream } from '#lib/client/byte-stream.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { IconRecord } from '#lib/manifest/record.ts';
import {
  type DataSource,
  type Fields,
  type Listed,
  type SourceBytes,
  UnreadableError,
  type WantedBytes,
} from '#src/takeover/sources/data-source.ts';

const LARGEST_ICON = 1024 * 1024;
/** Manifests of which the bytes may still be asked for. */
const MOST_KNOWN = 32;
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);
const NOT_FOUND = 404;

interface Known {
  readonly image: Image;
  readonly icon?: { readonly record: IconRecord; readonly bytes: Buffer };
}

/** @param name as it is shown */
export function servedSource(client: ImgapiClient, name: string): DataSource {
  const served = new ServedImages(client);
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
  readonly #known = new Map<string, Known>();
  /** Until the server refuses it. */
  #inclAdminFields = true;

  constructor(client: ImgapiClient) {
    this.#client = client;
  }

  async *list(signal: AbortSignal): AsyncGenerator<Listed> {
    for await (const { uuid, origin } of this.#client.listAll({ state: 'all' }, { signal })) {
      yield { where: `/images/${uuid}`, uuid, ...(origin !== undefined && { origin }) };
    }
  }

  async read(uuid: string, signal: AbortSignal): Promise<Fields> {
    const image = await this.#manifest(uuid, signal);
    const stor = (image.files?.[0] as { stor?: string } | undefined)?.stor;
    const icon = image.icon ? await this.#icon(uuid, stor, signal) : undefined;
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
      return await this.#client.getImage(uuid, { signal, inclAdminFields });
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      if (inclAdminFields && FORBIDDEN.has(error.statusCode)) {
        this.#inclAdminFields = false;
        return this.#manifest(uuid, signal);
      }
      throw new UnreadableError(`the server answers ${error.code}: ${error.message}`, { cause: error });
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
