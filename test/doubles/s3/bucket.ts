/** What a bucket holds: objects and multipart uploads, in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { noSuchKey, noSuchUpload, S3Refusal } from './refusal.ts';

export interface StoredObject {
  readonly bytes: Buffer;
  /** Without quotes. */
  readonly etag: string;
  readonly mtime: Date;
  readonly meta: Readonly<Record<string, string>>;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly begun: Date;
  readonly meta: Readonly<Record<string, string>>;
  readonly parts: Map<number, StoredObject>;
}

const LEAST_PART = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();

  put(key: string, bytes: Buffer, meta: Readonly<Record<string, string>> = {}): StoredObject {
    const object = { bytes, etag: md5(bytes), mtime: new Date(), meta };
    this.objects.set(key, object);
    return object;
  }

  /** @throws S3Refusal NoSuchKey */
  get(key: string): StoredObject {
    const found = this.objects.get(key);
    if (!found) throw noSuchKey();
    return found;
  }

  begin(key: string, meta: Readonly<Record<string, string>>): Upload {
    const upload = { id: randomUUID(), key, begun: new Date(), meta, parts: new Map<number, StoredObject>() };
    this.uploads.set(upload.id, upload);
    return upload;
  }

  /** @throws S3Refusal NoSuchUpload */
  upload(id: string, key: string): Upload {
    const upload = this.uploads.get(id);
    if (upload?.key !== key) throw noSuchUpload();
    return upload;
  }

  addPart(id: string, key: string, number: number, bytes: Buffer): StoredObject {
    const upload = this.upload(id, key);
    if (!(number >= 1 && number <= MOST_PARTS)) throw new S3Refusal(400, 'InvalidArgument', 'Part number.');
    const part = { bytes, etag: md5(bytes), mtime: new Date(), meta: {} };
    upload.parts.set(number, part);
    return part;
  }

  complete(
    id: string,
    key: string,
    listed: readonly { readonly number: number; readonly etag: string }[],
  ): StoredObject {
    const upload = this.upload(id, key);
    const parts = listed.map(({ number, etag }, at) => {
      const part = upload.parts.get(number);
      if (part?.etag !== etag) throw new S3Refusal(400, 'InvalidPart', `Part ${number} was not found.`);
      if (number <= (listed[at - 1]?.number ?? 0)) throw new S3Refusal(400, 'InvalidPartOrder', 'Not ascending.');
      if (at < listed.length - 1 && part.bytes.length < LEAST_PART) {
        throw new S3Refusal(400, 'EntityTooSmall', `Part ${number} is smaller than the minimum.`);
      }
      return part;
    });
    if (parts.length === 0) throw new S3Refusal(400, 'MalformedXML', 'No parts.');
    const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))}-${parts.length}`;
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const object = { bytes, etag, mtime: new Date(), meta: upload.meta };
    this.objects.set(key, object);
    this.uploads.delete(id);
    return object;
  }
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
