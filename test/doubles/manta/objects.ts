/** PUT, GET, HEAD and DELETE of objects. */
import { isNotModified } from './conditions.ts';
import { MantaFault } from './errors.ts';
import { answer, bodyOf, type Exchange } from './exchange.ts';
import { newObject, type StoredObject } from './tree.ts';

const MOST_METADATA = 4096;
const MOST_COPIES = 9;
const KEPT = /^(m-.*|cache-control|surrogate-key|content-disposition|access-control-.*)$/;

export async function putObject(exchange: Exchange): Promise<void> {
  const { request, parts, path, tree, settings } = exchange;
  const { headers } = request;
  const present = tree.find(parts);
  if (present?.kind === 'directory') throw overwritesDirectory(headers['transfer-encoding'] === 'chunked');
  isNotModified(headers, 'PUT', present);
  tree.parentOf(parts);
  const wantedMd5 = md5Of(headers['content-md5']);
  const isStream = headers['transfer-encoding'] === 'chunked';
  const most = Number(headers['max-content-length'] ?? settings.largestStream);
  if (most < 0) throw new MantaFault('InvalidMaxContentLength', `${most} is an invalid max-content-length`);
  const hasBody = isStream || headers['content-length'] !== undefined;
  const sent = hasBody ? await bodyOf(exchange, isStream ? most : undefined) : Buffer.alloc(0);
  if (exchange.fault?.kind === 'swallow') return;
  const bytes = exchange.fault?.kind === 'spoil' ? Buffer.alloc(sent.length) : sent;
  const object = newObject(bytes, { ...describe(exchange), copies: copiesOf(headers, bytes.length) }, exchange.now());
  if (wantedMd5 !== undefined && wantedMd5 !== object.md5) {
    const message = `Content-MD5 expected to be ${wantedMd5}, but was ${object.md5}`;
    throw new MantaFault('ContentMD5Mismatch', message);
  }
  const now = tree.find(parts);
  const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
  // The index looks at a condition again when it is written.
  if (isConditional && now !== present) {
    throw new MantaFault('ConcurrentRequest', `${path} was being concurrently updated`);
  }
  tree.put(parts, object);
  answer(exchange, 204, { etag: object.etag, 'last-modified': object.mtime.toUTCString(), 'computed-md5': object.md5 });
}

function overwritesDirectory(isStream: boolean): MantaFault {
  if (isStream) return new MantaFault('OperationNotAllowedOnDirectory', 'it is a directory');
  return new MantaFault('InvalidUpdate', 'overwrite of "content-length" forbidden on a directory');
}

function md5Of(header: unknown): string | undefined {
  if (header === undefined) return undefined;
  const text = String(header);
  if (Buffer.from(text, 'base64').length !== 16) throw new MantaFault('BadRequest', 'Content-MD5 invalid');
  return text;
}

function copiesOf(headers: Exchange['request']['headers'], size: number): number {
  if (size === 0) return 0;
  const copies = Number(headers['durability-level'] ?? headers['x-durability-level'] ?? 2);
  if (copies >= 1 && copies <= MOST_COPIES) return copies;
  throw new MantaFault('InvalidUpdate', `durability-level must be between 1 and ${MOST_COPIES}`);
}

function describe({ request: { headers } }: Exchange): Pick<StoredObject, 'contentType' | 'headers'> {
  const kept: Record<string, string> = {};
  let metadata = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!KEPT.test(name)) continue;
    if (name.startsWith('m-')) metadata += String(value).length;
    if (!name.startsWith('m-') || metadata < MOST_METADATA) kept[name] = String(value);
  }
  const given = headers['content-type'] ?? 'application/octet-stream';
  return { contentType: given === 'jpg' ? 'image/jpeg' : given, headers: kept };
}

export function readObject(exchange: Exchange, object: StoredObject): void {
  const { request, method, path } = exchange;
  if (isNotModified(request.headers, method, object)) {
    answer(exchange, 304, { etag: object.etag });
    return;
  }
  if (!accepts(request.headers.accept, object.contentType)) {
    throw new MantaFault('NotAcceptable', `${path} accepts ${object.contentType}`);
  }
  const common = {
    etag: object.etag,
    'last-modified': object.mtime.toUTCString(),
    ...object.headers,
    'durability-level': object.copies,
  };
  const size = object.bytes.length;
  const range = method === 'GET' && size > 0 ? request.headers.range : undefined;
  if (range === undefined) {
    const headers = {
      ...common,
      'content-type': object.contentType,
      'content-md5': object.md5,
      'content-length': size,
      ...(method === 'GET' && { 'accept-ranges': 'bytes' }),
    };
    answer(exchange, 200, headers, object.bytes);
    return;
  }
  const [start, until] = boundsOf(range, size);
  const headers = {
    ...common,
    'content-type': 'application/octet-stream',
    'content-length': until - start,
    'content-range': `bytes ${start}-${until - 1}/${size}`,
    'accept-ranges': 'bytes',
  };
  answer(exchange, 206, headers, object.bytes.subarray(start, until));
}

function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined) return true;
  const [bare = ''] = type.split(';');
  const [main] = bare.split('/');
  return accept.split(',').some((one) => {
    const [wanted = ''] = one.trim().split(';');
    return wanted === '*/*' || wanted === bare || wanted === `${main}/*`;
  });
}

function boundsOf(range: string, size: number): [start: number, until: number] {
  if (range.includes(',')) throw new MantaFault('NotImplemented', 'multi-range requests are not supported');
  const outside = new MantaFault('RangeNotSatisfiable', '', { 'content-range': `bytes */${size}` });
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === '' && last === '') throw outside;
  if (first === '') return [Math.max(0, size - Number(last)), size];
  const start = Number(first);
  if (start >= size || (last !== '' && Number(last) < start)) throw outside;
  return [start, last === '' ? size : Math.min(size, Number(last) + 1)];
}

export function deleteObject(exchange: Exchange, object: StoredObject): void {
  isNotModified(exchange.request.headers, 'DELETE', object);
  exchange.tree.remove(exchange.parts);
  answer(exchange, 204, { etag: object.etag, 'last-modified': object.mtime.toUTCString() });
}

export function putLink(exchange: Exchange): void {
  const { request, parts, tree, settings } = exchange;
  if (!settings.snaplinks) throw new MantaFault('SnaplinksDisabledError', 'Manta v2 does not support SnapLinks.');
  const { location } = request.headers;
  if (location === undefined) throw new MantaFault('LocationRequired', 'An HTTP Location header must be specified');
  const source = tree.find(location.split('/').filter(Boolean).map(decodeURIComponent));
  const present = tree.find(parts);
  if (present?.kind === 'directory') throw overwritesDirectory(true);
  isNotModified(request.headers, 'PUT', present);
  tree.parentOf(parts);
  if (source === undefined) throw new MantaFault('SourceObjectNotFound', `${location} was not found`);
  if (source.kind === 'directory') throw new MantaFault('LinkNotObject', `${location} is not an object`);
  tree.put(parts, source);
  answer(exchange, 204, { etag: source.etag, 'last-modified': source.mtime.toUTCString() });
}
