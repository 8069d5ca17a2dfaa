/** The page on the console: what it says to type, with a server. */
import { join } from 'node:path';
import { test } from 'tap';
import { startInProcess } from '../helpers/imgapi.ts';
import { asker } from '../src/imgapi/fixtures/ask.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { workplaceFor } from './runner/workplace.ts';

const PAGE = 'docs/console.md';

test('every line of the page on the console does what it says', async (t) => {
  const { scratch, url, shell } = await workplaceFor(t);
  await startInProcess(t, { port: Number(new URL(url).port) }, { dataDir: join(scratch, 'data') });
  let address = '';
  await runDocument(t, {
    file: PAGE,
    shells: { '': shell() },
    values: { 'http://127.0.0.1:8080': url },
    after: {
      'imgapiadm console-login': ({ stdout }) => {
        address = stdout.trim();
      },
    },
  });
  t.ok(address.startsWith(`${url}/console/#/login/`), address);
  const token = address.slice(address.lastIndexOf('/') + 1);
  t.equal((await asker(t, url)('/console/login', { method: 'POST', json: { token } })).status, 200);
});

test('the configuration that the page shows lets the console write', async (t) => {
  const { url } = await startInProcess(t, readJson(PAGE) as Record<string, unknown>);
  t.match((await asker(t, url)('/console/settings.json')).json, { operator: true, write: true });
});
