/** Every body of JSON, on every listener, is kept as it was sent or refused by name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { ADMIN, ALICE } from '../../helpers/accounts.ts';
import { cloudapiInProcess, makePeople, signedHeaders } from '../../helpers/cloudapi.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const server = await startInProcess(t, { links: { address: '127.0.0.1', port: 0 } });
const people = makePeople();
const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url });
const alice = server.client({ account: ALICE });
const { image } = await makeImage(alice);
const token = await readFile(join(server.dataDir, 'keys/operator.token'), 'utf8');
const operator = `Bearer ${token.trim()}`;

interface Body {
  readonly what: string;
  /** Of a JSON object, without its braces. */
  readonly bytes: Uint8Array;
  readonly message: RegExp;
}

const BAD: readonly Body[] = [
  { what: 'text that is no UTF-8', bytes: Buffer.from('"tags":{"a":"\xff"}', 'latin1'), message: /not valid UTF-8/ },
  {
    what: 'a large integer',
    bytes: Buffer.from('"tags":{"n":12345678901234567890}'),
    message: /12345678901234567890, "n"/,
  },
  { what: 'a number beyond all', bytes: Buffer.from('"tags":{"n":1e999}'), message: /1e999/ },
];

interface Target {
  readonly what: string;
  readonly url: string;
  readonly headers: () => Record<string, string>;
}

const cloudPath = `/my/images/${image.uuid}?action=update`;
const TARGETS: readonly Target[] = [
  ...[
    '/images',
    `/images/${image.uuid}?action=update`,
    `/images/${image.uuid}?action=import`,
    `/images/${image.uuid}/acl`,
    `/images/${image.uuid}/file/from-url?compression=none`,
  ].map((path) => ({ what: path, url: `${server.url}${path}`, headers: () => ({}) })),
  { what: '/datacenters', url: `${server.url}/datacenters`, headers: () => ({ authorization: operator }) },
  { what: '/link/pair', url: `${server.linksUrl}/link/pair`, headers: () => ({}) },
  {
    what: 'CloudAPI',
    url: `${cloudapi.url}${cloudPath}`,
    headers: () => signedHeaders('POST', cloudPath, { as: people.alice }),
  },
];

async function post({ url, headers }: Target, body: Uint8Array) {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers() },
    body,
  });
  return { status: answer.statusCode, json: (await answer.body.json()) as Record<string, unknown> };
}

for (const target of TARGETS) {
  // A change of files is refused before its body is looked at.
  const isImmutable = target.what.includes('from-url');
  for (const { what, bytes, message } of isImmutable ? [] : BAD) {
    t.test(`${target.what} refuses ${what}`, async (t) => {
      const answer = await post(target, Buffer.concat([Buffer.from('{'), bytes, Buffer.from('}')]));
      t.match(answer, { status: 400, json: { code: 'InvalidContent', message } });
    });
  }

  t.test(`${target.what} takes a byte-order mark`, async (t) => {
    const { json } = await post(target, Buffer.from('\ufeff{}'));
    t.not(json['code'], 'InvalidContent');
  });
}

t.test('what is taken is shown as it was sent', async (t) => {
  const tags = { max: 9007199254740992, price: 0.1, word: 'ä€😀\ufffd' };
  const body = Buffer.from(`\ufeff${JSON.stringify({ ...MANIFEST, owner: ADMIN, tags })}`);
  const { status, json } = await post({ what: '', url: `${server.url}/images`, headers: () => ({}) }, body);
  t.match({ status, json }, { status: 200, json: { tags } });
});
