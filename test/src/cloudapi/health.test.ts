/** What balancers ask of CloudAPI. */
import t from 'tap';
import { request } from 'undici';
import { cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

interface Answer {
  readonly status: number;
  readonly json: { readonly ok: boolean; readonly checks: Record<string, { ok: boolean; error?: string }> };
}

async function ask(url: string): Promise<Answer> {
  const { statusCode, body } = await request(url);
  return { status: statusCode, json: (await body.json()) as Answer['json'] };
}

/** Answers are good for a second: asks until this one is another. */
const becomes = (url: string, status: number) =>
  waitFor(`${url} to answer ${status}`, async () => {
    const answer = await ask(url);
    return answer.status === status ? answer : undefined;
  });

t.test('CloudAPI is as well as IMGAPI and its accounts are', async (t) => {
  const { url, imgapi } = await startInProcess(t);
  const cloudapi = await cloudapiInProcess(t, { people: Object.values(makePeople()), imgapi: url });
  const health = `${cloudapi.url}/--healthz`;
  t.match(await ask(health), {
    status: 200,
    json: { ok: true, checks: { imgapi: { ok: true }, directory: { ok: true } } },
  });
  await imgapi.close(0);
  const { json } = await becomes(health, 503);
  t.match(json, { ok: false, checks: { imgapi: { ok: false }, directory: { ok: true } } });
  t.equal((await ask(`${cloudapi.url}/--ping`)).status, 200);
});
