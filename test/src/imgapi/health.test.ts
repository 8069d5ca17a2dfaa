/** What balancers ask: whether this process can do its work, and if not, which part cannot. */
import { rm } from 'node:fs/promises';
import t from 'tap';
import { request } from 'undici';
import { s3DoubleServer, s3For } from '../../engines/s3.ts';
import { askHealth } from '../../helpers/health.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

t.test('a server that works says so, and what it looked at', async (t) => {
  const { url } = await startInProcess(t);
  const { status, json } = await askHealth(`${url}/healthz`);
  t.equal(status, 200);
  const ok = { ok: true, ms: Number };
  t.match(json, { ok: true, checks: { store: ok, objects: ok, room: { ok: true, bytes: Number }, directory: ok } });
  const head = await request(`${url}/healthz`, { method: 'HEAD' });
  t.equal(head.statusCode, 200);
  await head.body.dump();
});

t.test('a directory that is away is ill, but no reason to send requests elsewhere', async (t) => {
  const { url, accountsFile } = await startInProcess(t, { accounts: { cacheSeconds: 0 } });
  await rm(accountsFile);
  const { status, json } = await waitFor('the directory to be missed', async () => {
    const answer = await askHealth(`${url}/healthz`);
    return answer.json.checks['directory']?.ok === false && answer;
  });
  t.equal(status, 200);
  t.match(json, { ok: true, checks: { store: { ok: true }, directory: { ok: false, error: String } } });
});

t.test('a store without room is ill', async (t) => {
  const { url } = await startInProcess(t, { storage: { quotaBytes: 1 } });
  t.match(await askHealth(`${url}/healthz`), {
    status: 503,
    retryAfter: /^\d+$/,
    json: { ok: false, checks: { room: { ok: false } } },
  });
});

t.test('strangers hear which part is ill, and nothing else', async (t) => {
  const keys = { mode: 'public', authType: 'signature', storage: { quotaBytes: 1 } };
  const { url } = await startInProcess(t, keys);
  const { status, json } = await askHealth(`${url}/healthz`);
  t.equal(status, 503);
  t.strictSame(Object.keys(json.checks['room'] ?? {}), ['ok', 'ms']);
});

t.test('a store that is down takes no requests away, as long as another one answers', async (t) => {
  const s3 = await s3DoubleServer();
  t.teardown(() => s3.close());
  const { keys } = await s3For(t, async () => s3);
  const { url } = await startInProcess(t, keys);
  await s3.stop();
  const { json } = await waitFor('it to be known', async () => {
    const answer = await askHealth(`${url}/healthz`);
    return (!answer.json.ok || 'down' in (answer.json.checks['objects'] ?? {})) && answer;
  });
  t.match(json, { ok: true, checks: { objects: { ok: true, down: ['s3'] } } });
});
