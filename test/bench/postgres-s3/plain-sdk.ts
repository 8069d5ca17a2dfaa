/**
 * What anybody gets out of the SDK with a few lines: the same bytes, in parts of the same size, as many at once; and, if
 * wanted, with the hashes that an image needs.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DEFAULT_LIMITS } from '#lib/objects/s3/settings.ts';
import type { S3Server } from '../../engines/s3.ts';
import { MIB, SIZE } from '../transfers.ts';

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

  async putFile(path: string, Key: string, isHashed = false): Promise<void> {
    await this.#upload(Key, partsOf(createReadStream(path, { highWaterMark: MIB })), isHashed);
  }

  /** From a server of files into the bucket. */
  async putFrom(url: string, Key: string, isHashed = false): Promise<void> {
    const [response] = (await once(get(url), 'response')) as [IncomingMessage];
    await this.#upload(Key, partsOf(response), isHashed);
  }

  async get(Key: string): Promise<void> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
    let received = 0;
    for await (const piece of Body as Readable) received += piece.length;
    if (received !== SIZE) throw new Error(`${received} bytes came`);
  }

  close(): void {
    this.#client.destroy();
  }

  async #upload(Key: string, parts: AsyncGenerator<Buffer, void>, isHashed: boolean): Promise<void> {
    const object = { Bucket: this.#bucket, Key };
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(object));
    const hashes = isHashed ? ['md5', 'sha1', 'sha256'].map((name) => createHash(name)) : [];
    const Parts: CompletedPart[] = [];
    const worker = async (): Promise<void> => {
      // A generator answers one after the other, whoever asks.
      for (let next = await parts.next(); !next.done; next = await parts.next()) {
        const { value: Body } = next;
        const PartNumber = Parts.push({});
        for (const hash of hashes) hash.update(Body);
        const part = { ...object, UploadId, PartNumber, Body, ContentLength: Body.length };
        const { ETag } = await this.#client.send(new UploadPartCommand(part));
        Parts[PartNumber - 1] = { PartNumber, ETag };
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    for (const hash of hashes) hash.digest();
    await this.#client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  }
}

async function* partsOf(source: Readable): AsyncGenerator<Buffer, void> {
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
}
