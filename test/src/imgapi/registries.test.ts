/**
 * import-docker-image, import-lxd-image and push: what today's IMGAPI refuses is refused here with the same code and in the
 * same order, and what it would do is answered with 501.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

type Answer = readonly [status: number, code: string, errors?: string];

const NOT_AVAILABLE: Answer = [501, 'NotAvailable'];
const TOKEN = Buffer.from(JSON.stringify({ identitytoken: 'x' })).toString('base64');
const PASSWORD = Buffer.from(JSON.stringify({ username: 'x', password: 'y' })).toString('base64');

function configOf(registry: string): string {
  return Buffer.from(JSON.stringify({ [registry]: { identitytoken: 'x' } })).toString('base64');
}

interface Row {
  readonly query: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly answer: Answer;
}

const IMPORTS: readonly Row[] = [
  {
    query: 'action=import-docker-image',
    answer: [422, 'ValidationFailed', 'repo/MissingParameter,tag/MissingParameter'],
  },
  { query: 'action=import-docker-image&repo=busybox', answer: [422, 'ValidationFailed', 'tag/MissingParameter'] },
  {
    query: 'action=import-docker-image&repo=a&tag=&digest=',
    answer: [422, 'ValidationFailed', 'tag/MissingParameter'],
  },
  { query: 'action=import-docker-image&tag=x', answer: [422, 'ValidationFailed', 'repo/MissingParameter'] },
  { query: 'action=import-docker-image&repo=a&tag=b&digest=x', answer: [422, 'ValidationFailed', 'digest/Invalid'] },
  {
    query: 'action=import-docker-image&tag=b&digest=x',
    answer: [422, 'ValidationFailed', 'repo/MissingParameter,digest/Invalid'],
  },
  { query: 'action=import-docker-image&repo=BAD!!&tag=latest', answer: [422, 'ValidationFailed', 'repo/Invalid'] },
  { query: 'action=import-docker-image&repo=&tag=latest', answer: [422, 'ValidationFailed', 'repo/Invalid'] },
  { query: 'action=import-docker-image&repo=a&digest=x', answer: [422, 'ValidationFailed', 'repo/Invalid'] },
  { query: `action=import-docker-image&account=${ALICE}`, answer: [403, 'OperatorOnly'] },
  {
    query: 'action=import-docker-image&repo=a&tag=b&public=maybe',
    headers: { 'x-registry-auth': TOKEN },
    answer: [400, 'NotImplemented'],
  },
  {
    query: 'action=import-docker-image&repo=quay.io/a/b&tag=c',
    headers: { 'x-registry-config': configOf('quay.io') },
    answer: [400, 'NotImplemented'],
  },
  {
    query: 'action=import-docker-image&repo=a&tag=c',
    headers: { 'x-registry-config': configOf('https://index.docker.io/v1/') },
    answer: [400, 'NotImplemented'],
  },
  {
    query: 'action=import-docker-image&repo=a&tag=c',
    headers: { 'x-registry-config': configOf('quay.io') },
    answer: NOT_AVAILABLE,
  },
  {
    query: 'action=import-docker-image&repo=a&tag=c',
    headers: { 'x-registry-auth': 'not base64 of JSON', 'x-registry-config': '////' },
    answer: NOT_AVAILABLE,
  },
  {
    query: 'action=import-docker-image&repo=a&tag=b&public=maybe',
    answer: [422, 'InvalidParameter', 'public/Invalid'],
  },
  {
    query: 'action=import-docker-image&repo=localhost:5000/a/b&tag=1.0&public=false',
    headers: { 'x-registry-auth': PASSWORD },
    answer: NOT_AVAILABLE,
  },
  { query: `action=import-docker-image&repo=a&digest=sha256:${'a'.repeat(64)}`, answer: NOT_AVAILABLE },
  { query: `action=import-lxd-image&account=${ALICE}`, answer: [403, 'OperatorOnly'] },
  { query: 'action=import-lxd-image', answer: [422, 'ValidationFailed', 'alias/MissingParameter'] },
  { query: 'action=import-lxd-image&alias=', answer: [422, 'ValidationFailed', 'alias/MissingParameter'] },
  { query: 'action=import-lxd-image&alias=alpine', answer: [422, 'InvalidParameter', 'alias/InvalidParameter'] },
  { query: 'action=import-lxd-image&alias=images:alpine', answer: NOT_AVAILABLE },
  { query: 'action=import-nothing', answer: [422, 'InvalidParameter', 'action/Invalid'] },
];

test('imports from other registries are checked as ever, then refused by name', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const { query, headers = {}, answer } of IMPORTS) {
    const got = await ask(`/images?${query}`, { method: 'POST', headers, json: { name: 'x' } });
    t.strictSame(shown(got), answer, `${query} ${Object.keys(headers)}`);
    if (answer === NOT_AVAILABLE) t.match(got.json, { message: /is not available here: nothing is fetched from/ });
  }
});

test('a push is checked as ever, then refused by name', async (t) => {
  const { url, imgapi } = await startInProcess(t);
  const [docker, plain] = [randomUUID(), randomUUID()];
  await putRecords(imgapi.service, [
    imageRecord('active', { uuid: docker, owner: BOB, type: 'docker' }),
    imageRecord('active', { uuid: plain, owner: BOB }),
  ]);
  const ask = asker(t, url);
  const manifest = { manifest_str: '{"layers":[]}' };
  const rows: readonly (Row & { readonly image: string })[] = [
    { image: 'x', query: 'repoAndTag=a:b', answer: [404, 'ResourceNotFound'] },
    { image: randomUUID(), query: 'repoAndTag=a:b', answer: [404, 'ResourceNotFound'] },
    { image: docker, query: `repoAndTag=a:b&account=${ALICE}`, answer: [404, 'ResourceNotFound'] },
    { image: plain, query: 'repoAndTag=a:b', answer: [422, 'ValidationFailed', 'type/Invalid'] },
    { image: plain, query: '', answer: [422, 'ValidationFailed', 'type/Invalid'] },
    { image: docker, query: '', answer: [422, 'ValidationFailed', 'repoAndTag/MissingParameter'] },
    { image: docker, query: 'repoAndTag=A!', answer: [422, 'ValidationFailed', 'repoAndTag/Invalid'] },
    {
      image: docker,
      query: 'repoAndTag=127.0.0.1:1/a:b',
      answer: [422, 'ValidationFailed', 'manifest_str/MissingParameter'],
    },
    {
      image: docker,
      query: 'repoAndTag=a:b',
      json: { manifest_str: '{' },
      answer: [422, 'ValidationFailed', 'manifest_str/Invalid'],
    },
    {
      image: docker,
      query: 'repoAndTag=a:b',
      json: manifest,
      headers: { 'x-registry-auth': TOKEN },
      answer: [400, 'NotImplemented'],
    },
    { image: docker, query: `repoAndTag=a:b&account=${BOB}`, json: manifest, answer: NOT_AVAILABLE },
  ];
  for (const { image, query, headers = {}, json, answer } of rows) {
    const got = await ask(`/images/${image}/push?${query}`, {
      method: 'POST',
      headers,
      ...(json !== undefined && { json }),
    });
    t.strictSame(shown(got), answer, `${image} ${query}`);
  }
});

function shown({ status, json }: { readonly status: number; readonly json: unknown }): Answer {
  const { code = '', errors } = json as { code?: string; errors?: readonly { field: string; code: string }[] };
  const fields = errors?.map((error) => `${error.field}/${error.code}`).join();
  return fields === undefined ? [status, code] : [status, code, fields];
}
