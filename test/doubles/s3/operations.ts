/** The operations of S3 on one bucket. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Bucket, StoredObject } from './bucket.ts';
import { notImplemented, S3Refusal } from './refusal.ts';
import { textsOf, type Xml, xmlDocument } from './xml.ts';

export interface Ask {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** How a server differs from Amazon's. */
export interface Quirks {
  /** As Manta's S3 face: no upload is ever listed, parts cannot be copied, and there are no lifecycle rules. */
  readonly manta?: boolean;
  /** No more keys than these on a page. */
  readonly pageSize?: number;
  /** 501 for `If-None-Match` of a PUT. */
  readonly noConditions?: boolean;
  /** 501 for DeleteObjects. */
  readonly noBatches?: boolean;
  /** Sends whole objects, whatever range is asked for. */
  readonly noRanges?: boolean;
}

type Operation = (bucket: Bucket, ask: Ask, quirks: Quirks) => Answer;

export const OPERATIONS = {
  HeadBucket: () => ({ status: 200 }),

  PutObject(bucket, { key, headers, body }, { noConditions }) {
    if (headers['if-none-match'] !== undefined) {
      if (noConditions) throw notImplemented('If-None-Match');
      if (bucket.objects.has(key)) throw new S3Refusal(412, 'PreconditionFailed', 'It exists.');
    }
    return { status: 200, headers: { etag: quoted(bucket.put(key, body, metaOf(headers))) } };
  },

  CopyObject(bucket, { key, headers }) {
    const source = copySource(bucket, headers);
    return xml('CopyObjectResult', described(bucket.put(key, source.bytes, source.meta)));
  },

  GetObject: (bucket, { key, headers: { range, ...others } }, { noRanges }) =>
    read(bucket.get(key), noRanges || range === undefined ? others : { ...others, range }),

  HeadObject(bucket, { key, headers }) {
    const { status, headers: described = {}, body = '' } = read(bucket.get(key), headers);
    return { status, headers: { ...described, 'content-length': String(body.length) } };
  },

  DeleteObject(bucket, { key }) {
    bucket.objects.delete(key);
    return { status: 204 };
  },

  DeleteObjects(bucket, { body }, { noBatches }) {
    if (noBatches) throw notImplemented('DeleteObjects');
    const keys = textsOf(body.toString(), 'Key');
    if (keys.length === 0 || keys.length > 1000) throw new S3Refusal(400, 'MalformedXML', 'Between 1 and 1000 keys.');
    for (const key of keys) bucket.objects.delete(key);
    return xml('DeleteResult', { Deleted: keys.map((Key) => ({ Key })) });
  },

  ListObjectsV2(bucket, { query }, { pageSize = 1000 }) {
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const most = Math.min(pageSize, Number(query.get('max-keys') ?? 1000));
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
    const rows = [...new Set([...bucket.objects.keys()].filter((key) => key.startsWith(prefix)).map(grouped))]
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .filter((row) => Buffer.compare(Buffer.from(row), Buffer.from(after)) > 0);
    const page = rows.slice(0, most);
    const isTruncated = page.length < rows.length;
    const isGroup = (row: string): boolean => delimiter !== '' && row.slice(prefix.length).endsWith(delimiter);
    return xml('ListBucketResult', {
      Prefix: prefix,
      KeyCount: page.length,
      IsTruncated: isTruncated,
      NextContinuationToken: isTruncated ? Buffer.from(page.at(-1) ?? '').toString('base64url') : undefined,
      Contents: page
        .filter((row) => !isGroup(row))
        .map((row) => ({ Key: row, Size: bucket.get(row).bytes.length, ...described(bucket.get(row)) })),
      CommonPrefixes: page.filter(isGroup).map((row) => ({ Prefix: row })),
    });

    function grouped(key: string): string {
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      return end < 0 ? key : key.slice(0, end + delimiter.length);
    }
  },

  ListMultipartUploads(bucket, { query }, { manta }) {
    const prefix = query.get('prefix') ?? '';
    const uploads = manta ? [] : [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix));
    return xml('ListMultipartUploadsResult', {
      IsTruncated: false,
      Upload: uploads.map(({ key, id, begun }) => ({ Key: key, UploadId: id, Initiated: begun.toISOString() })),
    });
  },

  CreateMultipartUpload: (bucket, { key, headers }) =>
    xml('InitiateMultipartUploadResult', { Key: key, UploadId: bucket.begin(key, metaOf(headers)).id }),

  UploadPart(bucket, { key, query, body }) {
    const part = bucket.addPart(query.get('uploadId') ?? '', key, Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: quoted(part) } };
  },

  UploadPartCopy(bucket, { key, query, headers }, { manta }) {
    if (manta) throw notImplemented('UploadPartCopy');
    const { bytes } = copySource(bucket, headers);
    const { start, end } = rangeOf(String(headers['x-amz-copy-source-range'] ?? ''), bytes.length);
    const number = Number(query.get('partNumber'));
    const part = bucket.addPart(query.get('uploadId') ?? '', key, number, bytes.subarray(start, end + 1));
    return xml('CopyPartResult', described(part));
  },

  ListParts(bucket, { key, query }, { pageSize = 1000 }) {
    const upload = bucket.upload(query.get('uploadId') ?? '', key);
    const after = Number(query.get('part-number-marker') ?? 0);
    const rows = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
    const page = rows.slice(0, pageSize);
    return xml('ListPartsResult', {
      IsTruncated: page.length < rows.length,
      NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
      Part: page.map(([number, part]) => ({ PartNumber: number, Size: part.bytes.length, ...described(part) })),
    });
  },

  CompleteMultipartUpload(bucket, { key, query, body }) {
    const numbers = textsOf(body.toString(), 'PartNumber').map(Number);
    const etags = textsOf(body.toString(), 'ETag').map((etag) => etag.replaceAll('"', ''));
    const listed = numbers.map((number, at) => ({ number, etag: etags[at] ?? '' }));
    const object = bucket.complete(query.get('uploadId') ?? '', key, listed);
    return xml('CompleteMultipartUploadResult', { Key: key, ETag: quoted(object) });
  },

  AbortMultipartUpload(bucket, { key, query }) {
    bucket.uploads.delete(bucket.upload(query.get('uploadId') ?? '', key).id);
    return { status: 204 };
  },
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** Which operation a request asks for. @throws S3Refusal */
export function operationOf(method: string, { key, query, headers }: Ask): OperationName {
  const copies = headers['x-amz-copy-source'] !== undefined;
  const has = (name: string): boolean => query.has(name);
  const found = ((): OperationName | undefined => {
    if (key === '') {
      if (method === 'HEAD') return 'HeadBucket';
      if (method === 'POST' && has('delete')) return 'DeleteObjects';
      if (method !== 'GET') return undefined;
      if (has('uploads')) return 'ListMultipartUploads';
      return has('list-type') ? 'ListObjectsV2' : undefined;
    }
    if (has('uploadId')) {
      if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
      if (method === 'POST') return 'CompleteMultipartUpload';
      return method === 'DELETE' ? 'AbortMultipartUpload' : 'ListParts';
    }
    if (method === 'POST') return has('uploads') ? 'CreateMultipartUpload' : undefined;
    if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject';
    const plain: Record<string, OperationName> = { GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' };
    return plain[method];
  })();
  if (!found) throw notImplemented(`${method} ?${query}`);
  return found;
}

function read(object: StoredObject, headers: IncomingHttpHeaders): Answer {
  const { bytes } = object;
  const wanted = headers['if-match']?.replaceAll('"', '');
  if (wanted !== undefined && wanted !== object.etag) throw new S3Refusal(412, 'PreconditionFailed', 'It has changed.');
  const about = {
    etag: quoted(object),
    'last-modified': object.mtime.toUTCString(),
    'accept-ranges': 'bytes',
    ...Object.fromEntries(Object.entries(object.meta).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
  if (headers.range === undefined) return { status: 200, headers: about, body: bytes };
  const { start, end } = rangeOf(headers.range, bytes.length);
  const range = { 'content-range': `bytes ${start}-${end}/${bytes.length}` };
  return { status: 206, headers: { ...about, ...range }, body: bytes.subarray(start, end + 1) };
}

function rangeOf(range: string, size: number): { start: number; end: number } {
  const [, start = '0', end = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const bounds = { start: Number(start), end: Math.min(size - 1, end === '' ? size - 1 : Number(end)) };
  if (bounds.start >= size || bounds.end < bounds.start) {
    throw new S3Refusal(416, 'InvalidRange', 'The requested range is not satisfiable');
  }
  return bounds;
}

function copySource(bucket: Bucket, headers: IncomingHttpHeaders): StoredObject {
  const source = decodeURIComponent(String(headers['x-amz-copy-source']));
  const object = bucket.get(source.replace(/^\/?[^/]+\//, ''));
  const wanted = headers['x-amz-copy-source-if-match'];
  if (wanted !== undefined && String(wanted).replaceAll('"', '') !== object.etag) {
    throw new S3Refusal(412, 'PreconditionFailed', 'It has changed.');
  }
  return object;
}

function metaOf(headers: IncomingHttpHeaders): Record<string, string> {
  const meta = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(meta.map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)]));
}

function quoted({ etag }: StoredObject): string {
  return `"${etag}"`;
}

function described(object: StoredObject): { ETag: string; LastModified: string } {
  return { ETag: quoted(object), LastModified: object.mtime.toISOString() };
}

function xml(name: string, content: Xml): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: xmlDocument(name, content) };
}
