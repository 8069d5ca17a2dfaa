/** Object stores that claim other things than local files do, made of such a store's backend. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ObjectBackend } from '#lib/objects/backend.ts';
import { capabilities } from '#lib/objects/capabilities.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';

/** As it is, without claiming anything. */
export function claimingNothing(backend: ObjectBackend): ObjectBackend {
  const none = capabilities({
    supportsLink: 'has no second names',
    supportsServerCopy: 'copies nothing',
    supportsSignedUrl: 'serves nothing',
    supportsSiblings: 'stands alone',
    supportsTakeOver: 'reads nothing before it is committed',
    supportsExport: 'belongs to nobody else',
    supportsAdoption: 'is not on this machine',
    supportsPieces: 'takes bytes in order only',
  });
  return overlaid(backend, { capabilities: none });
}

const SIBLING = '@';

/** The part of a store below a datacenter's name. It copies by itself, and serves its objects by signed URLs. */
export function shared(backend: ObjectBackend, datacenter: string, urls?: SignedUrls): ObjectBackend {
  const at = (path: string): string =>
    path.startsWith(SIBLING) ? path.slice(SIBLING.length) : [datacenter, path].filter((part) => part !== '').join('/');
  const own: Partial<ObjectBackend> = {
    capabilities: capabilities({
      supportsLink: 'has no second names',
      supportsServerCopy: true,
      supportsSignedUrl: urls ? true : 'serves nothing',
      supportsSiblings: true,
      supportsTakeOver: true,
      supportsExport: 'belongs to nobody else',
      supportsAdoption: 'is not on this machine',
      supportsPieces: 'takes bytes in order only',
    }),
    info: async (path) => {
      const info = await backend.info(at(path));
      return info && { ...info, path };
    },
    async read(path, options) {
      const found = await backend.read(at(path), options);
      return { ...found, info: { ...found.info, path } };
    },
    hash: (path, signal) => backend.hash(at(path), signal),
    md5: (path, signal) => backend.hash(at(path), signal),
    open: (options) => backend.open({ ...options, path: at(options.path) }),
    async serverCopy(from, to) {
      if (!(await backend.info(at(from)))) throw new ObjectNotFoundError(from);
      await backend.link?.(at(from), at(to));
    },
    list: (path) => backend.list(at(path)),
    remove: (path) => backend.remove(at(path)),
    removeTree: (path) => backend.removeTree(at(path)),
    siblingPath: (other, path) => `${SIBLING}${other}/${path}`,
    ...(urls && { signUrl: async (path: string, expires: Date) => urls.sign(at(path), expires) }),
  };
  return overlaid(backend, own);
}

function overlaid(backend: ObjectBackend, own: Partial<ObjectBackend>): ObjectBackend {
  return new Proxy(backend, {
    get(target, name) {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export interface SignedUrls {
  sign(path: string, expires: Date): string;
  close(): Promise<void>;
}

/** A server that gives the objects of a backend to whoever has a URL that it signed. */
export async function signedUrls(backend: ObjectBackend): Promise<SignedUrls> {
  const secret = randomBytes(32);
  const signatureOf = (path: string, expires: string): Buffer =>
    createHmac('sha256', secret).update(`${path}\n${expires}`).digest();

  async function serve({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://store');
    const path = decodeURIComponent(pathname.slice(1));
    const expires = searchParams.get('expires') ?? '';
    const given = Buffer.from(searchParams.get('signature') ?? '', 'hex');
    const wanted = signatureOf(path, expires);
    const isSigned = given.length === wanted.length && timingSafeEqual(given, wanted);
    if (!isSigned || Number(expires) < Date.now()) {
      // Not writeHead(): where restify is loaded, it returns nothing.
      response.statusCode = 403;
      response.end();
      return;
    }
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const range = start === undefined ? {} : { start: Number(start), end: Number(end) };
    const { stream } = await backend.read(path, range);
    response.statusCode = start === undefined ? 200 : 206;
    stream.pipe(response);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      if (!response.headersSent) response.statusCode = 404;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    sign(path, expires) {
      const until = String(expires.getTime());
      const query = new URLSearchParams({ expires: until, signature: signatureOf(path, until).toString('hex') });
      return `http://127.0.0.1:${port}/${encodeURIComponent(path)}?${query}`;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
