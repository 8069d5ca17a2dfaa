/** Servers that images come from and that cannot be trusted: each path answers what the test says. */
import { once } from 'node:events';
import {
  createServer,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import sshpk from 'sshpk';
import type { Test } from 'tap';

export interface FakeSource {
  readonly url: string;
  /** `METHOD path` of all requests, in order. */
  readonly requests: string[];
}

export type Answers = Readonly<Record<string, RequestListener>>;

/** Paths that have no answer are 404. */
export function fakeSource(t: Test, answers: Answers): Promise<FakeSource> {
  return serve(t, 'http', answers, (listener) => createServer(listener));
}

/** The same over TLS, with a certificate that nobody vouches for. */
export function fakeTlsSource(t: Test, answers: Answers): Promise<FakeSource> {
  const key = sshpk.generatePrivateKey('ecdsa');
  const subject = sshpk.identityForHost('127.0.0.1');
  const cert = sshpk.createSelfSignedCertificate(subject, key).toString('pem');
  return serve(t, 'https', answers, (listener) => createTlsServer({ key: key.toString('pem'), cert }, listener));
}

async function serve(
  t: Test,
  scheme: string,
  answers: Answers,
  create: (listener: RequestListener) => Server,
): Promise<FakeSource> {
  const requests: string[] = [];
  const server = create((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const answer = answers[request.url?.split('?', 1)[0] ?? ''];
    if (answer) answer(request, response);
    else reply(response, 404, { 'content-type': 'application/json' }, '{"code":"ResourceNotFound"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${scheme}://127.0.0.1:${port}`, requests };
}

/** One after the other: restify changes `writeHead` for all servers of a process, so that it answers nothing. */
export function reply(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
  body: string | Uint8Array = '',
): void {
  response.writeHead(status, headers);
  response.end(body);
}

export function json(value: unknown): RequestListener {
  return (_request, response) => reply(response, 200, { 'content-type': 'application/json' }, JSON.stringify(value));
}

export function bytes(content: Uint8Array): RequestListener {
  return (_request, response) => reply(response, 200, { 'content-length': content.length }, content);
}
