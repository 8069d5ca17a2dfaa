/** What a page of another web site has a browser send changes nothing; clients that are no browsers are not hindered. */
import { test } from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { startListener } from '../../helpers/listener.ts';
import { asker } from '../imgapi/fixtures/ask.ts';

const HOST = 'imgapi.example.com:8080';
const json = { name: 'a', version: '1', type: 'zone-dataset', os: 'smartos', owner: ALICE };

type Headers = Readonly<Record<string, string>>;

const OTHERS: readonly Headers[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', origin: `http://${HOST}` },
  { origin: 'https://evil.example.com' },
  { origin: 'http://imgapi.example.com' },
  { origin: 'http://imgapi.example.com:8081' },
  { origin: `http://${HOST}.evil.example.com` },
  { origin: `http://evil.example.com/${HOST}` },
  { origin: 'null' },
  { origin: 'file://' },
  { origin: '' },
  { 'sec-fetch-site': 'unheard-of', origin: 'https://evil.example.com' },
];

const OWN: readonly Headers[] = [
  {},
  { origin: `http://${HOST}` },
  { origin: `https://${HOST}` },
  { origin: `http://${HOST.toUpperCase()}` },
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'none' },
  // A proxy that gives another Host.
  { host: '10.0.0.1', 'sec-fetch-site': 'same-origin', origin: `https://${HOST}` },
];

test('a write that a browser sends for a page of another site is 400, and makes nothing', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const others of OTHERS) {
    const headers = { host: HOST, ...others };
    const answer = await ask('/images', { method: 'POST', headers, json });
    t.match(answer, { status: 400, json: { code: 'BadRequest', message: /another site/ } }, JSON.stringify(others));
    t.equal((await ask('/images/x', { method: 'DELETE', headers })).status, 400);
    t.equal((await ask('/images/x/file', { method: 'PUT', headers, body: 'x' })).status, 400);
    t.equal((await ask('/images?state=all', { headers })).status, 200, 'what is read changes nothing');
  }
  t.strictSame((await ask('/images?state=all')).json, []);
});

test('a write from the same site, or from what is no browser, is taken', async (t) => {
  const { url } = await startInProcess(t, { publicUrl: `http://${HOST}` });
  const ask = asker(t, url);
  for (const own of OWN) {
    const answer = await ask('/images', { method: 'POST', headers: { host: HOST, ...own }, json });
    t.equal(answer.status, 200, JSON.stringify(own));
  }
  t.equal((await ask('/images', { method: 'POST', headers: { origin: url }, json })).status, 200);
  const plain = { host: 'imgapi.example.com:80', origin: 'http://imgapi.example.com' };
  t.equal((await ask('/images', { method: 'POST', headers: plain, json })).status, 200, 'a port may go without saying');
});

test('who is trusted without proof is no page of a name that may lead here since a minute ago', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const host of [
    'evil.example.com',
    'localhost.example.com',
    '10.0.0.1.example.com',
    `127.0.0.1.evil.example.com:80`,
  ]) {
    for (const site of [{}, { 'sec-fetch-site': 'same-origin' }] as readonly Headers[]) {
      const answer = await ask('/images', {
        method: 'POST',
        headers: { host, origin: `http://${host}`, ...site },
        json,
      });
      t.match(answer, {
        status: 400,
        json: { code: 'BadRequest', message: new RegExp(`Origin is "http://${host}.*publicUrl`) },
      });
    }
  }
  for (const host of ['10.0.0.1', '[fd00::1]:8080', 'localhost:8080', 'LOCALHOST', 'imgapi.localhost']) {
    const answer = await ask('/images', { method: 'POST', headers: { host, origin: `http://${host}` }, json });
    t.equal(answer.status, 200, host);
  }
});

test('so it is on every listener', async (t) => {
  const { url } = await startListener(t, { 'POST /json': async () => ({ json: 'done' }) });
  const ask = asker(t, url);
  const from = (origin: string) => ask('/json', { method: 'POST', headers: { origin }, json: {} });
  t.equal((await from('https://evil.example.com')).status, 400);
  t.equal((await from(url)).status, 200);
});
