/**
 * A Manta as its clients see it, in this process and in memory, in the two versions that exist: v1 has snaplinks, v2 has
 * none; each with multipart uploads or without. It holds requests to what Manta holds them to, and can be told to fail.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import sshpk from 'sshpk';
import { type AccountKeys, callerOf } from './authentication.ts';
import { deleteDirectory, putDirectory, readDirectory } from './directories.ts';
import { MantaFault } from './errors.ts';
import { Abandoned, answer, type Exchange, type Settings } from './exchange.ts';
import { Faults } from './faults.ts';
import { deleteObject, putLink, putObject, readObject } from './objects.ts';
import { Tree } from './tree.ts';
import { Uploads } from './uploads.ts';

export interface MantaDoubleOptions {
  readonly version: 'v1' | 'v2';
  readonly multipart: boolean;
  readonly settings?: Partial<Settings>;
  /** Entries that a directory may have; default a million. */
  readonly directoryLimit?: number;
  /** Milliseconds by which its clock is ahead. */
  readonly ahead?: number;
}

export interface MantaDouble {
  readonly url: string;
  readonly port: number;
  readonly tree: Tree;
  readonly uploads: Uploads;
  readonly faults: Faults;
  /** `METHOD path` of each request that it took, paths decoded. */
  readonly requests: string[];
  /** Connections that are open. */
  readonly connections: number;
  /** Milliseconds by which its clock is ahead. */
  ahead: number;
  /** @param isOperator whether it may do everything everywhere; default false */
  addAccount(login: string, publicKey: string, isOperator?: boolean): void;
  addSubuser(login: string, name: string, publicKey: string, mayAll: boolean): void;
  /** Resets all connections and takes none until `start`; what is stored stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Until a connection is refused: by then clients of this process have been told that theirs are gone. */
async function refused(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'error');
}

const MILLION = 1_000_000;
const TOPS = ['public', 'reports', 'stor'];

export async function startMantaDouble(options: MantaDoubleOptions): Promise<MantaDouble> {
  const accounts = new Map<string, AccountKeys>();
  const settings: Settings = {
    snaplinks: options.version === 'v1',
    multipart: options.multipart,
    cleartext: false,
    dataTimeout: 45_000,
    largestStream: 51_200 * 1024 * 1024,
    ...options.settings,
  };
  const tree = new Tree(options.directoryLimit ?? MILLION, Date.now());
  const uploads = new Uploads();
  const faults = new Faults();
  const requests: string[] = [];
  const sockets = new Set<IncomingMessage['socket']>();
  let port = 0;

  const double: MantaDouble = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get connections() {
      return sockets.size;
    },
    tree,
    uploads,
    faults,
    requests,
    ahead: options.ahead ?? 0,
    addAccount(login, publicKey, isOperator = false) {
      accounts.set(login, { keys: keysOf(publicKey), isOperator, subusers: new Map() });
      tree.addAccount(login, settings.multipart ? [...TOPS, 'uploads'] : TOPS, Date.now());
    },
    addSubuser(login, name, publicKey, mayAll) {
      accounts.get(login)?.subusers.set(name, { keys: keysOf(publicKey), mayAll });
    },
    start: () =>
      new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', () => resolve())),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
      await refused(port);
    },
    close: () => (server.listening ? double.stop() : Promise.resolve()),
  };

  async function handle(request: IncomingMessage, response: ServerResponse, waits: boolean): Promise<void> {
    const { method = '', url = '' } = request;
    const [rawPath = '', search = ''] = url.split('?');
    const parts = decoded(rawPath);
    const path = `/${parts.join('/')}`;
    requests.push(`${method} ${path}`);
    const fault = faults.take(method, path);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    const version = settings.snaplinks ? 'Manta' : 'Manta/2';
    const now = () => Date.now() + double.ahead;
    const standard = { date: new Date(now()).toUTCString(), server: version, 'x-request-id': randomUUID() };
    for (const [name, value] of Object.entries({ ...standard, 'x-response-time': '1', 'x-server-name': 'double' })) {
      response.setHeader(name, value);
    }
    if (request.headers['user-agent']?.startsWith('curl')) response.setHeader('connection', 'close');
    const query = new URLSearchParams(search);
    const common = { request, response, method, parts, path, query, tree, settings, fault, now, waits };
    try {
      if (fault?.kind === 'answer') {
        if (!request.complete) response.setHeader('connection', 'close');
        // Not chained: restify, in the same process, makes writeHead return nothing.
        response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
        response.end(fault.body);
        return;
      }
      if (!/^(\*|~?1(\.0)*|~?1\.0\.0)$/.test(String(request.headers['accept-version'] ?? '*'))) {
        throw new MantaFault('InvalidVersion', `${request.headers['accept-version']} is not supported`);
      }
      assertSecure(settings, method, parts, query);
      const caller = callerOf(request, query, accounts, now());
      await route({ ...common, caller }, uploads);
    } catch (error) {
      refuse({ ...common, caller: undefined }, error);
    }
  }

  const server = createServer({ keepAlive: true });
  const take = (waits: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response, waits).catch(() => request.socket.destroy());
  };
  server.on('request', take(false)).on('checkContinue', take(true));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  await double.start();
  port = (server.address() as AddressInfo).port;
  return double;
}

function keysOf(publicKey: string): Map<string, sshpk.Key> {
  const key = sshpk.parseKey(publicKey, 'ssh');
  return new Map([[key.fingerprint('md5').toString('hex'), key]]);
}

/** Repeated slashes and one at the end do not count. @throws MantaFault */
function decoded(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

function assertSecure({ cleartext }: Settings, method: string, parts: readonly string[], query: URLSearchParams): void {
  const isPublic = parts[1] === 'public' && ['GET', 'HEAD', 'OPTIONS'].includes(method);
  if (cleartext && !isPublic && !query.has('signature')) {
    throw new MantaFault('SecureTransportRequired', 'Manta requires a secure transport (SSL/TLS)');
  }
}

async function route(exchange: Exchange, uploads: Uploads): Promise<void> {
  const { method, parts, path, request, tree, settings } = exchange;
  const [rawPath = ''] = (request.url ?? '').split('?');
  if (/%(?![0-9a-f]{2})/i.test(rawPath)) throw new MantaFault('InvalidResource', `${rawPath} is not a valid path`);
  const [login = '', top] = parts;
  if (top === 'uploads' && settings.multipart && (parts.length > 2 || method === 'POST')) {
    authorize(exchange, login);
    return uploads.handle(exchange);
  }
  const found = tree.find(parts);
  if (parts.length < 2 || (parts.length === 2 && found !== undefined)) return ofRoot(exchange);
  if (method === 'PUT') {
    if (top === undefined || tree.find([login, top]) === undefined) {
      throw new MantaFault('ResourceNotFound', `${path} was not found`);
    }
    authorize(exchange, login);
    const kind = kindOf(request.headers['content-type'] ?? '');
    if (kind === 'directory') return putDirectory(exchange);
    return kind === 'link' ? putLink(exchange) : putObject(exchange);
  }
  if (method === 'POST') {
    throw new MantaFault('MethodNotAllowed', 'POST is not allowed', { allow: 'PUT, GET, HEAD, DELETE' });
  }
  if (found === undefined) throw new MantaFault('ResourceNotFound', `${path} was not found`);
  authorize(exchange, login);
  if (method === 'DELETE') {
    return found.kind === 'directory' ? deleteDirectory(exchange, found) : deleteObject(exchange, found);
  }
  return found.kind === 'directory' ? readDirectory(exchange, found) : readObject(exchange, found);
}

function ofRoot(exchange: Exchange): void {
  const { method, parts, path, tree, request } = exchange;
  const [login = ''] = parts;
  const found = tree.find(parts);
  if (found?.kind !== 'directory') throw new MantaFault('ResourceNotFound', `${path} was not found`);
  authorize(exchange, login);
  const forbidden = new MantaFault(
    'OperationNotAllowedOnRootDirectory',
    `${method} is not allowed on a root directory`,
  );
  if (method === 'DELETE') throw forbidden;
  if (method !== 'PUT') {
    readDirectory(exchange, found);
    return;
  }
  if (kindOf(request.headers['content-type'] ?? '') !== 'directory') throw forbidden;
  putDirectory(exchange);
}

/** What a PUT makes is told by its media type alone. */
function kindOf(contentType: string): 'directory' | 'link' | 'object' {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type !== 'application/json') return 'object';
  if (parameters.includes('type=directory')) return 'directory';
  return parameters.includes('type=link') ? 'link' : 'object';
}

function authorize({ caller, method, parts, path }: Exchange, login: string): void {
  if (parts[1] === 'public' && (method === 'GET' || method === 'HEAD')) return;
  if (caller === undefined) {
    throw new MantaFault('AuthorizationFailed', `anonymous is not allowed to access ${path}`);
  }
  if (caller.login !== login && !caller.isOperator) {
    throw new MantaFault('AuthorizationFailed', `${caller.login} is not allowed to access ${path}`);
  }
  if (!caller.mayAll) throw new MantaFault('NoMatchingRoleTag', `none of your active roles are present on ${path}`);
}

function refuse(exchange: Exchange, error: unknown): void {
  const { request, response, method } = exchange;
  if (error instanceof Abandoned || response.headersSent) return void request.socket.destroy();
  const fault = error instanceof MantaFault ? error : new MantaFault('InternalError', String(error));
  if (!request.complete) response.setHeader('connection', 'close');
  if (method === 'HEAD') {
    answer(exchange, fault.status, fault.headers);
    return;
  }
  const body = JSON.stringify({ code: fault.code, message: fault.message });
  const length = Buffer.byteLength(body);
  answer(
    exchange,
    fault.status,
    { ...fault.headers, 'content-type': 'application/json', 'content-length': length },
    body,
  );
}
