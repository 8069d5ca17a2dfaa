/** Sends a row to its server and compares the answer. */
import type { Test } from 'tap';
import { ALICE } from '../../../helpers/accounts.ts';
import type { Answer } from '../fixtures/ask.ts';
import { KEYS, signedHeaders, UNKNOWN_KEY } from '../fixtures/signing.ts';
import { isImageName, makeImages, type Names, named } from './images.ts';
import type { Row } from './row.ts';
import type { Server } from './servers.ts';

const SIGNED = {
  well: () => signedHeaders({ key: KEYS.rsa }),
  badly: () => signedHeaders({ key: UNKNOWN_KEY }),
  'by ECDSA': () => signedHeaders({ key: KEYS['ecdsa P-256'] }),
  'by Ed25519': () => signedHeaders({ key: KEYS.ed25519 }),
} as const;

const MANIFEST = { name: 'im', version: '1.0.0', type: 'zone-dataset', os: 'smartos' } as const;

/** The row's image, made for it, and the answer to its request. */
export async function send(server: Server, row: Row): Promise<Answer> {
  const { request, json, manifest, body, signed } = row;
  const mentioned = [...JSON.stringify([request, row.headers, json, manifest]).matchAll(/\$(\w+)/g)].map(
    ([, name = '']) => name,
  );
  const names = [...new Set([...mentioned.filter(isImageName), ...(row.with ?? [])])];
  const uuids = await makeImages(server.service, names);
  const [method = '', path = ''] = named(request, uuids).split(' ');
  const sent = manifest ? { ...MANIFEST, ...(!('creator_uuid' in manifest) && { owner: ALICE }), ...manifest } : json;
  return server.ask(path, {
    method,
    headers: {
      ...(signed === undefined ? {} : SIGNED[signed]()),
      ...(method === 'PUT' && { 'content-type': 'application/octet-stream' }),
      ...(await headersOf(server, row, path, uuids)),
    },
    ...(sent !== undefined && { json: JSON.parse(named(JSON.stringify(sent), uuids)) as unknown }),
    ...(body !== undefined && { body }),
  });
}

/** `TAG` stands for the tag of the image's manifest. */
async function headersOf(server: Server, { headers = {} }: Row, path: string, uuids: Names) {
  const given = Object.entries(headers).map(([name, value]) => [name, named(value, uuids)] as const);
  if (!given.some(([, value]) => value === 'TAG')) return Object.fromEntries(given);
  const image = /^\/images\/[^/?]+/.exec(path)?.[0] ?? '';
  const { etag = '' } = (await server.ask(image)).headers;
  return Object.fromEntries(given.map(([name, value]) => [name, value === 'TAG' ? etag : value]));
}

export function compare(t: Test, { request, ours, shows, sends }: Row, answer: Answer): void {
  const [expected = ''] = ours.split(';');
  t.equal(summaryOf(answer, expected), expected.trim(), request);
  if (shows) t.match(answer.json, shows, request);
  for (const [name, value] of Object.entries(sends ?? {})) {
    if (value === undefined) t.equal(answer.headers[name], undefined, `${request}: ${name}`);
    else t.match(answer.headers[name], value, `${request}: ${name}`);
  }
}

/** In the form of `ours`. */
function summaryOf({ status, json }: Answer, expected: string): string {
  if (Array.isArray(json) && expected.includes('[')) {
    const names = (json as { name: string }[]).map(({ name }) => name);
    return `${status} [${names.join(' ')}]`;
  }
  if (status < 400 || json?.code === undefined) return String(status);
  const errors: { field: string; code: string }[] = json.errors ?? [];
  return [status, json.code, errors.map(({ field, code }) => `${field}/${code}`).join(',')].join(' ').trim();
}
