/** Manta's multipart uploads. */
import { createHash, randomUUID } from 'node:crypto';
import { MantaFault } from './errors.ts';
import { answer, answerJson, bodyOf, type Exchange } from './exchange.ts';
import { newObject, type StoredObject } from './tree.ts';

const MOST_PARTS = 800;
const SMALLEST_PART = 5 * 1024 * 1024;

interface Upload {
  readonly id: string;
  readonly login: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly createdAt: number;
  readonly parts: Map<number, StoredObject>;
  result?:
    | { readonly kind: 'aborted' }
    | { readonly kind: 'committed'; readonly etags: string; readonly object: StoredObject };
}

const invalid = (why: string): MantaFault => new MantaFault('MultipartUploadInvalidArgument', why);
const wrongState = (why: string): MantaFault => new MantaFault('InvalidMultipartUploadState', why);

export class Uploads {
  readonly #uploads = new Map<string, Upload>();

  /** Ids of those that are neither committed nor aborted. */
  get open(): string[] {
    return [...this.#uploads.values()].filter(({ result }) => result === undefined).map(({ id }) => id);
  }

  async handle(exchange: Exchange): Promise<void> {
    const { parts, method, caller } = exchange;
    const [login = '', , prefix, id, last] = parts;
    if (caller?.subuser !== undefined) throw new MantaFault('AuthorizationFailed', 'subusers may not use uploads');
    if (parts.length === 2 && method === 'POST') return this.#create(exchange, login);
    if (parts.length === 3) return this.#redirect(exchange, prefix ?? '');
    const upload = this.#uploads.get(id ?? '');
    if (upload === undefined || upload.login !== login) {
      throw new MantaFault('ResourceNotFound', `${exchange.path} was not found`);
    }
    if (last === undefined) return this.#list(exchange, upload);
    if (last === 'state' && method === 'GET') return this.#state(exchange, upload);
    if (last === 'abort' && method === 'POST') return this.#abort(exchange, upload);
    if (last === 'commit' && method === 'POST') return this.#commit(exchange, upload);
    return this.#part(exchange, upload, last);
  }

  async #create(exchange: Exchange, login: string): Promise<void> {
    const body = asObject(JSON.parse((await bodyOf(exchange)).toString()));
    const { objectPath } = body;
    if (typeof objectPath !== 'string') throw invalid('a valid "objectPath" is required');
    const headers = asObject(body['headers'] ?? {}) as Upload['headers'];
    const conditional = Object.keys(headers).find((name) => name.toLowerCase().startsWith('if-'));
    if (conditional !== undefined) throw invalid(`"${conditional}" is not allowed`);
    const id = randomUUID();
    const target = objectPath;
    this.#uploads.set(id, { id, login, target, headers, createdAt: exchange.now(), parts: new Map() });
    answerJson(exchange, 201, { id, partsDirectory: partsDirectory(login, id) });
  }

  #redirect(exchange: Exchange, id: string): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) throw new MantaFault('ResourceNotFound', `${exchange.path} was not found`);
    answer(exchange, 301, { location: partsDirectory(upload.login, id) });
  }

  #list(exchange: Exchange, upload: Upload): void {
    const lines = [...upload.parts].map(([part, { etag, bytes }]) => ({
      name: String(part),
      etag,
      size: bytes.length,
      type: 'object',
    }));
    const headers = { 'content-type': 'application/x-json-stream; type=directory', 'result-set-size': lines.length };
    answer(exchange, 200, headers, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  async #part(exchange: Exchange, upload: Upload, name: string): Promise<void> {
    const { method, request } = exchange;
    const number = Number(name);
    if (!/^\d+$/.test(name) || number >= MOST_PARTS) throw invalid(`${name} is not a valid part number`);
    const stored = upload.parts.get(number);
    if (method === 'HEAD') {
      if (stored === undefined) throw new MantaFault('ResourceNotFound', `${exchange.path} was not found`);
      return answer(exchange, 200, {
        etag: stored.etag,
        'content-length': stored.bytes.length,
        'content-md5': stored.md5,
      });
    }
    if (method !== 'PUT') throw new MantaFault('MethodNotAllowed', `${method} is not allowed`, { allow: 'PUT, HEAD' });
    if (request.headers['durability-level'] !== undefined) throw invalid('durability-level is not allowed');
    if (upload.result !== undefined) throw wrongState(`upload ${upload.id} is finalized`);
    const bytes = await bodyOf(exchange);
    if (upload.result !== undefined) throw wrongState(`upload ${upload.id} is finalized`);
    const object = newObject(
      bytes,
      { contentType: 'application/octet-stream', copies: 2, headers: {} },
      exchange.now(),
    );
    const wanted = request.headers['content-md5'];
    if (wanted !== undefined && wanted !== object.md5) throw new MantaFault('ContentMD5Mismatch', 'the md5 differs');
    upload.parts.set(number, object);
    answer(exchange, 204, { etag: object.etag, 'computed-md5': object.md5 });
  }

  async #commit(exchange: Exchange, upload: Upload): Promise<void> {
    const { parts: etags } = asObject(JSON.parse((await bodyOf(exchange)).toString()));
    if (!Array.isArray(etags)) throw invalid('"parts" must be an array');
    const { result, headers } = upload;
    if (result?.kind === 'aborted') throw wrongState(`upload ${upload.id} is aborted`);
    if (result) {
      if (result.etags !== etags.join()) throw wrongState(`upload ${upload.id} was committed with other parts`);
      return committed(exchange, upload.target, result.object, { etag: result.object.etag });
    }
    const pieces = etags.map((etag, at) => {
      const part = upload.parts.get(at);
      if (part === undefined || part.etag !== etag) throw invalid(`part ${at} does not have etag ${etag}`);
      if (at < etags.length - 1 && part.bytes.length < SMALLEST_PART) throw invalid(`part ${at} is too small`);
      return part.bytes;
    });
    const bytes = Buffer.concat(pieces);
    const size = headers['content-length'];
    if (size !== undefined && size !== bytes.length) throw invalid(`the parts have ${bytes.length} bytes, not ${size}`);
    const object = newObject(
      bytes,
      {
        contentType: String(headers['content-type'] ?? 'application/octet-stream'),
        copies: bytes.length === 0 ? 0 : Number(headers['durability-level'] ?? 2),
        headers: {},
      },
      exchange.now(),
    );
    const md5 = headers['content-md5'];
    if (md5 !== undefined && md5 !== object.md5) throw invalid('the md5 is not that of the upload');
    const target = upload.target.split('/').filter(Boolean).map(decodeURIComponent);
    if (exchange.tree.find(target)?.kind === 'directory') {
      throw new MantaFault('OperationNotAllowedOnDirectory', `${upload.target} is a directory`);
    }
    exchange.tree.put(target, object);
    upload.result = { kind: 'committed', etags: etags.join(), object };
    committed(exchange, upload.target, object);
  }

  #abort(exchange: Exchange, upload: Upload): void {
    if (upload.result?.kind === 'committed') throw wrongState(`upload ${upload.id} is committed`);
    upload.result = { kind: 'aborted' };
    upload.parts.clear();
    answer(exchange, 204);
  }

  #state(exchange: Exchange, upload: Upload): void {
    const { id, login, target, headers, createdAt, result } = upload;
    answerJson(exchange, 200, {
      id,
      state: result === undefined ? 'created' : 'done',
      ...(result && { result: result.kind }),
      ...(result?.kind === 'committed' && { partsMD5Summary: summaryOf(upload) }),
      partsDirectory: partsDirectory(login, id),
      targetObject: target,
      headers,
      numCopies: Number(headers['durability-level'] ?? 2),
      creationTimeMs: createdAt,
    });
  }
}

function partsDirectory(login: string, id: string): string {
  return `/${login}/uploads/${id.slice(0, 1)}/${id}`;
}

function committed(exchange: Exchange, target: string, object: StoredObject, more: Record<string, string> = {}): void {
  answer(exchange, 201, { location: target, 'computed-md5': object.md5, ...more });
}

function summaryOf({ parts }: Upload): string {
  const all = [...parts].sort(([a], [b]) => a - b).map(([, { md5 }]) => md5);
  return createHash('md5').update(all.join('')).digest('base64');
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw invalid('an object is required');
  return value as Record<string, unknown>;
}
