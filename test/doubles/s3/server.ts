/**
 * An S3 server in this process, for tests: signatures are checked, errors are told in XML, and it fails as it is told to.
 * It keeps one bucket in memory.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bucket } from './bucket.ts';
import { type Fault, Faults } from './faults.ts';
import { type Answer, type Ask, OPERATIONS, operationOf, type Quirks } from './operations.ts';
import { S3Refusal } from './refusal.ts';
import { type Credentials, checkSignature } from './signature.ts';
import { xmlDocument } from './xml.ts';

export interface S3Options extends Quirks {
  readonly port?: number;
}

export interface S3Double {
  readonly endpoint: string;
  readonly port: number;
  readonly bucketName: string;
  readonly credentials: Credentials;
  readonly bucket: Bucket;
  readonly faults: Faults;
  /** Names of the operations that were asked for, in order. */
  readonly asked: string[];
  /** Milliseconds by which its clock is ahead. */
  clockAhead: number;
  /** Resets all connections and takes none until `start`; what is stored stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const NAME = 'images';
const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTEST', secretAccessKey: 'a/secret+of=tests' };

export async function startS3Double({ port: wish = 0, ...quirks }: S3Options = {}): Promise<S3Double> {
  const bucket = new Bucket();
  const faults = new Faults();
  const asked: string[] = [];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams: query } = new URL(url, 'http://s3');
    const [, name = '', ...rest] = pathname.split('/').map(decodeURIComponent);
    const ask: Ask = { key: rest.join('/'), query, headers, body };
    const operation = operationOf(method, ask);
    asked.push(operation);
    const fault = faults.next(operation);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'cut') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'wait') await fault.until;
    checkSignature({ method, target: url, headers, body }, CREDENTIALS, Date.now() + double.clockAhead);
    if (name !== NAME) throw new S3Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist');
    if (fault?.kind === 'answer') throw new S3Refusal(fault.status, fault.code, 'As planned.');
    if (fault?.kind === 'page') return send(response, method, { status: 200, body: '<html>Sign in</html>' });
    const answer = OPERATIONS[operation](bucket, ask, quirks);
    if (fault?.kind === 'lose') return void request.socket.resetAndDestroy();
    send(response, method, answer, fault);
  }

  const server = createServer((request, response) => {
    response.sendDate = false;
    response.setHeader('date', new Date(Date.now() + double.clockAhead).toUTCString());
    serve(request, response).catch((error: unknown) => refuse(request, response, error));
  });
  server.keepAliveTimeout = 60_000;
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(wish);
  const { port } = server.address() as AddressInfo;
  const double: S3Double = {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    bucketName: NAME,
    credentials: CREDENTIALS,
    bucket,
    faults,
    asked,
    clockAhead: 0,
    start: () => listen(port),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    close: () => (server.listening ? double.stop() : Promise.resolve()),
  };
  return double;
}

function send(response: ServerResponse, method: string, { status, headers, body = '' }: Answer, fault?: Fault): void {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  response.writeHead(status, { ...(method !== 'HEAD' && status !== 204 && length), ...headers });
  if (fault?.kind !== 'stop') {
    response.end(method === 'HEAD' ? '' : body);
    return;
  }
  response.write(Buffer.from(body).subarray(0, fault.after), () => {
    if (!fault.silent) response.socket?.destroy();
  });
}

function refuse({ method = '', url = '' }: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const known = error instanceof S3Refusal ? error : new S3Refusal(500, 'InternalError', String(error));
  const body = xmlDocument('Error', { Code: known.code, Message: known.message, Resource: url });
  send(response, method, { status: known.status, headers: { 'content-type': 'application/xml' }, body });
}
