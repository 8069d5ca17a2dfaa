/** The fields of the log that the runbook lists are those that a server writes. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { request } from 'undici';
import { spawnImgapi } from '../helpers/imgapi.ts';
import { waitFor } from '../helpers/wait.ts';

const LOG = readFileSync('docs/runbook.md', 'utf8').split('\n## The log\n')[1] ?? '';
/** Names in `code` of the first column, and of the sentences before the table. */
const IN_TABLE = new Set(
  [...LOG.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ),
);
const COMMON = new Set([...(LOG.split('\n| field')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));

test('every field of the record of a request is in the runbook, and the other way round', async (t) => {
  let log = '';
  const onLog = (text: string) => {
    log += text;
  };
  const server = await spawnImgapi(t, { logLevel: 'info' }, { onLog });
  const ask = async (path: string, method: 'GET' | 'POST' = 'GET') =>
    (await request(`${server.url}${path}`, { method })).body.dump();
  await ask(`/images?account=${randomUUID()}`);
  await ask(`/images/${randomUUID()}?action=activate`, 'POST');
  const audits = () =>
    log
      .split('\n')
      .filter((line) => line.includes('"audit":true') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await waitFor('both records', () => audits().length === 2);
  const written = new Set(audits().flatMap((record) => Object.keys(record)));
  const listed = new Set([...IN_TABLE, ...COMMON]);
  for (const field of written) t.ok(listed.has(field), `${field} is in the runbook`);
  for (const field of [
    'req_id',
    'route',
    'operation',
    'method',
    'url',
    'remote',
    'status',
    'ms',
    'error',
    'account',
    'action',
  ]) {
    t.ok(written.has(field), field);
  }
  const sources = ['src/http-kit/audit.ts', 'src/imgapi/audit.ts', 'src/cloudapi/audit.ts'].map((file) =>
    readFileSync(file, 'utf8'),
  );
  const isWritten = (field = '') => sources.some((text) => new RegExp(`\\b${field}\\b`).test(text));
  for (const field of IN_TABLE) t.ok(isWritten(field), `${field} is written`);
});
