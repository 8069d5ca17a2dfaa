/** What anybody gets out of the SDK with a few lines: the same bytes, in parts of the same size, as many at once. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DEFAULT_LIMITS } from '#lib/objects/s3/settings.ts';
import type { S3Server } from '../../engines/s3.ts';
import { SIZE } from '../transfers.ts';

const PART = DEFAULT_LIMITS.part;
const AT_ONCE = 4;

export class PlainSdk {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ endpoint, region, bucket, credentials }: S3Server['settings']) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      endpoint,
      region,
      ...(credentials && { credentials }),
      forcePathStyle: true,
      // Each part would be summed up once more.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { httpAgent: new Agent({ keepAlive: true }) },
    });
  }

  async putFile(path: string, Key: string): Promise<void> {
    const file = await open(path);
    try {
      await this.#upload(Key, async (position) => {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(PART), 0, PART, position);
        return buffer.subarray(0, bytesRead);
      });
    } finally {
      await file.close();
    }
  }

  /** From a server of files into the bucket. */
  async putFrom(url: string, Key: string): Promise<void> {
    const [response] = (await once(get(url), 'response')) as [IncomingMessage];
    const parts = partsOf(response);
    // Parts are read one after the other, whoever asks.
    let turn: Promise<unknown> = Promise.resolve();
    await this.#upload(Key, (_position) => {
      const next = turn.then(() => parts.next()).then(({ value }) => value ?? Buffer.alloc(0));
      turn = next;
      return next;
    });
  }

  async get(Key: string): Promise<void> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
    let received = 0;
    for await (const piece of Body as Readable) received += piece.length;
    if (received !== SIZE) throw new Error(`${received} bytes came`);
  }

  async remove(Key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key }));
  }

  close(): void {
    this.#client.destroy();
  }

  /** @param read answers the bytes of a part; is asked for them in order */
  async #upload(Key: string, read: (position: number) => Promise<Buffer>): Promise<void> {
    const object = { Bucket: this.#bucket, Key };
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(object));
    const count = Math.ceil(SIZE / PART);
    const etags: (string | undefined)[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const at = next;
        next += 1;
        const Body = await read(at * PART);
        const part = { ...object, UploadId, PartNumber: at + 1, Body, ContentLength: Body.length };
        etags[at] = (await this.#client.send(new UploadPartCommand(part))).ETag;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const Parts = etags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }));
    await this.#client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  }
}

async function* partsOf(source: Readable): AsyncGenerator<Buffer, undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length < PART) continue;
    const all = Buffer.concat(pieces);
    yield all.subarray(0, PART);
    pieces = [all.subarray(PART)];
    length = all.length - PART;
  }
  if (length > 0) yield Buffer.concat(pieces);
  return undefined;
}
