/** HEAD wherever GET is, with the same status and headers and no body. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, asker } from './fixtures/ask.ts';
import { BYTES, FILE, ICON, ICON_RECORD, imageRecord, putObject, putRecords } from './fixtures/records.ts';
import { routesOf } from './fixtures/route-table.ts';

/** They differ from one request to the next; this client ends its connection after a HEAD. */
const OF_EACH_REQUEST = ['date', 'x-request-id', 'x-response-time', 'connection', 'keep-alive'];

function steady({ status, headers }: Answer): object {
  const kept = Object.entries(headers).filter(([name]) => !OF_EACH_REQUEST.includes(name));
  return { status, headers: Object.fromEntries(kept.toSorted()) };
}

const record = imageRecord('active', { icon: ICON_RECORD });
const image = `/images/${record.uuid}`;

/** By the path of the route: what to ask it, good and bad. */
const REQUESTS: Readonly<Record<string, readonly string[]>> = {
  '/images': ['/images', '/images?limit=1', '/images?limit=x', '/images?name=nothing', `/images?account=${ALICE}`],
  '/images/:uuid': [image, `/images/${randomUUID()}`, '/images/no-uuid', `${image}?account=x`],
  '/images/:uuid/file': [`${image}/file`, `${image}/file?index=1`, `/images/${randomUUID()}/file`],
  '/images/:uuid/uploads/:upload': [`${image}/uploads/${randomUUID()}`, `${image}/uploads/x`],
  '/images/:uuid/icon': [`${image}/icon`, `/images/${randomUUID()}/icon`],
  '/images/:uuid/ancestry': [`${image}/ancestry`],
  '/images/:uuid/usage': [`${image}/usage`],
  '/images/:uuid/jobs': [`${image}/jobs`],
  '/images/:uuid/copy': [`${image}/copy`],
  '/images/:uuid/events': [`${image}/events`, `/images/${randomUUID()}/events`],
  '/events': ['/events', '/events?kind=x'],
  '/admin/accounts/:login': ['/admin/accounts/alice'],
  '/admin/findings': ['/admin/findings'],
  '/admin/migrations': ['/admin/migrations'],
  '/admin/webhooks': ['/admin/webhooks'],
  '/tasks': ['/tasks'],
  '/deleted-images': ['/deleted-images', '/deleted-images?limit=x', `/deleted-images?account=${ALICE}`],
  '/copies': ['/copies', '/copies?state=x'],
  '/fan-outs': ['/fan-outs', '/fan-outs?limit=x'],
  '/fan-outs/:uuid': [`/fan-outs/${randomUUID()}`, '/fan-outs/x'],
  '/jobs/:uuid': [`/jobs/${randomUUID()}`, '/jobs/x'],
  '/role-tags/:uuid': [`/role-tags/${ALICE}?resource=/images`, `/role-tags/${ALICE}`, '/role-tags/x?resource=/'],
  '/quotas': ['/quotas', `/quotas?account=${ALICE}`],
  '/quotas/:uuid': [`/quotas/${ALICE}`, '/quotas/x'],
  '/share-settings/:uuid': [`/share-settings/${ALICE}`, '/share-settings/x'],
  '/datacenters': ['/datacenters'],
  '/pulls/:day/:name': ['/pulls/20260101/x'],
  '/ping': ['/ping', '/ping?error=Internal', '/ping?error=x'],
  '/channels': ['/channels'],
  '/state': ['/state'],
  '/healthz': ['/healthz'],
  '/datasets': ['/datasets'],
  '/datasets/:arg': ['/datasets/base:1.0'],
  '/favicon.ico': ['/favicon.ico'],
  '/': ['/'],
  '/docs': ['/docs', '/docs/'],
  '/openapi.json': ['/openapi.json'],
  '/console': ['/console', '/console/'],
  '/console/settings.json': ['/console/settings.json'],
  '/console/metrics': ['/console/metrics', '/console/metrics?account=x'],
  '/console/:file': ['/console/app.js', '/console/x'],
  '/console/modules/:file': ['/console/modules/preact.js', '/console/modules/x'],
};

const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'accept-version': '~3' },
  { 'accept-version': '~99' },
  { range: 'bytes=1-3' },
  { range: 'bytes=1000-' },
  { 'if-none-match': FILE.sha1 },
  { 'if-match': 'another' },
];

test('every GET route answers HEAD with the headers of GET and no body', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', BYTES);
  await putObject(imgapi.service, record.uuid, 'icon', ICON);
  for (const paths of Object.values(REQUESTS)) {
    for (const path of paths) {
      for (const headers of [{}, ...HEADERS]) {
        const got = await ask(path, { headers });
        const head = await ask(path, { method: 'HEAD', headers });
        t.equal(head.bytes.length, 0);
        // What the service tells of itself at this moment has no fixed length.
        if (path === '/state' || path === '/healthz') t.equal(head.status, got.status);
        else t.strictSame(steady(head), steady(got), `${path} ${JSON.stringify(headers)}`);
      }
    }
  }
});

test('these are all GET routes there are', async (t) => {
  const { imgapi } = await startInProcess(t);
  const gets = routesOf(imgapi.service).filter(({ method }) => method === 'GET');
  t.strictSame([...new Set(gets.map(({ path }) => path))].sort(), Object.keys(REQUESTS).sort());
});

test('HEAD of what is told line by line ends at once', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const headers = { 'accept-version': '~3', accept: 'application/x-json-stream' };
  const answer = await ask('/copies', { method: 'HEAD', headers });
  t.equal(answer.status, 200);
  t.equal(answer.headers['content-type'], 'application/x-json-stream');
  t.equal(answer.text, '');
});
