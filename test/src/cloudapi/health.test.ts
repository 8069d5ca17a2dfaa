/** What balancers ask of CloudAPI. */
import t from 'tap';
import { cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { askHealth, becomes } from '../../helpers/health.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

t.test('CloudAPI is as well as IMGAPI and its accounts are', async (t) => {
  const { url, imgapi } = await startInProcess(t);
  const cloudapi = await cloudapiInProcess(t, { people: Object.values(makePeople()), imgapi: url });
  const health = `${cloudapi.url}/--healthz`;
  t.match(await askHealth(health), {
    status: 200,
    json: { ok: true, checks: { imgapi: { ok: true }, directory: { ok: true } } },
  });
  await imgapi.close({ patience: 0 });
  const { json, retryAfter } = await becomes(health, 503);
  t.match(retryAfter, /^\d+$/);
  t.match(json, { ok: false, checks: { imgapi: { ok: false }, directory: { ok: true } } });
  t.equal((await askHealth(`${cloudapi.url}/--ping`)).status, 200);
});
