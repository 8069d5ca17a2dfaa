/** Asks a Manta double in all the ways that its tests need: signed, presigned or not at all, and by the real client. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as requestHttp } from 'node:http';
import { promisify } from 'node:util';
import bunyan from 'bunyan';
import manta, { type MantaClient } from 'manta';
import type { Test } from 'tap';
import { request } from 'undici';
import { Credentials } from '#lib/objects/manta/credentials.ts';
import type { Algorithm } from '#lib/signing/algorithms.ts';
import { generateKeys, parsePrivateKey } from '#lib/signing/keys.ts';
import { signRequest } from '#lib/signing/sign-request.ts';
import { type MantaDouble, type MantaDoubleOptions, startMantaDouble } from './server.ts';

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Default: the account's own. */
  readonly as?: 'bob' | 'eve' | 'nobody';
  /** What is signed; default: the date. */
  readonly signed?: readonly string[];
  readonly algorithm?: Algorithm;
  readonly date?: Date;
  readonly keyId?: string;
}

export interface Answered {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface Asking {
  readonly double: MantaDouble;
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
  put(path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<Answered>;
  mkdir(path: string): Promise<Answered>;
  link(source: string, path: string): Promise<Answered>;
  /** A PUT that waits for the invitation to send; without a body it never sends one. */
  sending(
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ readonly continued: boolean; readonly status: number | undefined }>;
  /** Query of a URL that bob signs. */
  presign(path: string, expires: Date): string;
  readonly client: MantaClient;
}

const key = generateKeys({ type: 'ecdsa', comment: 'bob' });
const otherKey = generateKeys({ type: 'ecdsa', comment: 'eve' });

export async function asking(t: Test, options: Partial<MantaDoubleOptions> = {}): Promise<Asking> {
  const double = await startMantaDouble({ version: 'v2', multipart: true, ...options });
  double.addAccount('bob', (await key).publicOpenssh);
  double.addAccount('eve', (await otherKey).publicOpenssh);
  const keys = { bob: parsePrivateKey((await key).privatePem), eve: parsePrivateKey((await otherKey).privatePem) };
  const credentials = new Credentials({ user: 'bob', key: keys.bob });
  const agent = new Agent({ keepAlive: true });
  const client = manta.createClient({
    url: double.url,
    user: 'bob',
    sign: (text, done) => done(null, credentials.signed(text)),
    log: bunyan.createLogger({ name: 'manta', streams: [] }),
    agent,
    connectTimeout: 5000,
    rejectUnauthorized: true,
    retry: false,
  });
  t.teardown(async () => {
    client.close();
    agent.destroy();
    await double.close();
  });

  const ask: Asking['ask'] = async (method, path, asked = {}) => {
    const { as = 'bob', body, signed = ['date'], date = new Date(), algorithm } = asked;
    const host = new URL(double.url).host;
    const headers: Record<string, string> = { ...asked.headers };
    if (as !== 'nobody') {
      const signing = { method, path, headers: { ...headers, host }, key: keys[as], date, signed };
      const keyId = asked.keyId ?? `/${as}/keys/${keys[as].publicKey.fingerprints.md5}`;
      Object.assign(headers, signRequest({ ...signing, keyId, ...(algorithm && { algorithm }) }));
    }
    const answer = await request(double.url + path, { method: method as 'GET', headers, body: body ?? null });
    const text = await answer.body.text();
    const { code, message } = parsed(text);
    return { status: answer.statusCode, code, message, headers: answer.headers as Answered['headers'], text };
  };
  return {
    double,
    ask,
    client,
    put: (path, body = '', headers = {}) => ask('PUT', path, { body, headers }),
    mkdir: (path) => ask('PUT', path, { headers: { 'content-type': 'application/json; type=directory' } }),
    link: (source, path) =>
      ask('PUT', path, { headers: { 'content-type': 'application/json; type=link', location: source } }),
    async sending(path, headers, body) {
      let continued = false;
      const signed = { ...credentials.headers('PUT', path), ...headers, expect: '100-continue' };
      const sent = requestHttp(double.url + path, { method: 'PUT', headers: signed });
      sent.on('continue', () => {
        continued = true;
        if (body !== undefined) sent.end(body);
      });
      sent.flushHeaders();
      const [{ statusCode: status }] = await once(sent, 'response');
      sent.destroy();
      return { continued, status };
    },
    presign: (path, expires) => credentials.signedQuery(new URL(double.url).host, path, expires),
  };
}

function parsed(text: string): { code?: string; message?: string } {
  try {
    return JSON.parse(text) as { code?: string; message?: string };
  } catch {
    return {};
  }
}

export function md5Of(bytes: string | Buffer): string {
  return createHash('md5').update(bytes).digest('base64');
}

export function lines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** A call of the real client as a promise. */
export function called<T>(begin: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return promisify(begin)() as Promise<T>;
}
