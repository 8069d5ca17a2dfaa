/** What strangers see of a public image server, and what an operator sees who logs in there. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ADMIN } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from '../../src/imgapi/fixtures/ask.ts';
import { imageRecord, putRecords } from '../../src/imgapi/fixtures/records.ts';
import { AUTH_KEYS } from '../../src/imgapi/fixtures/signing.ts';
import { missing } from '../installed.ts';
import { barriers, openBrowser, picture } from './browser.ts';

const skip = missing('chromium');

test('a public server is a catalogue for strangers, and more for who logs in', { skip }, async (t) => {
  const { imgapi, url, dataDir } = await startInProcess(t, {
    mode: 'public',
    authType: 'signature',
    authKeys: AUTH_KEYS,
    channels: [
      { name: 'release', description: 'ready', default: true },
      { name: 'dev', description: 'not yet' },
    ],
  });
  const common = { owner: ADMIN, public: true, channels: ['release'] };
  const base = { ...common, name: 'base-64', description: 'Nothing but the system.' };
  const shown = imageRecord('active', { ...base, version: '24.4.1', published_at: '2026-02-01T00:00:00.000Z' });
  const older = imageRecord('active', { ...base, version: '24.3.0' });
  const early = imageRecord('active', { ...base, version: '25.1.0', channels: ['dev'] });
  const hidden = imageRecord('disabled', { ...common, name: 'not-for-strangers' });
  await putRecords(imgapi.service, [shown, older, early, hidden]);
  const { page, faults } = await openBrowser(t, url);
  await page.goto(`${url}/console/`);
  await page.getByRole('heading', { name: 'Image catalogue' }).waitFor();
  await page.getByRole('link', { name: 'base-64' }).first().waitFor();
  t.equal(await page.locator('tbody tr').count(), 2);
  t.strictSame(await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents(), ['Images']);
  await picture(page, 'catalogue');
  await page.getByRole('link', { name: 'base-64' }).first().click();
  await page.getByText(`imgadm import -S ${url} ${shown.uuid}`).waitFor();
  await page.getByRole('link', { name: '24.3.0' }).waitFor();
  t.strictSame(await barriers(page), []);
  await picture(page, 'catalogue-one');
  await page.getByRole('link', { name: 'All images' }).click();
  await page.getByLabel('Channel').selectOption('dev');
  await page.getByText('1 image', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'base-64' }).click();
  await page.getByText(`imgadm import -S '${url}?channel=dev' ${early.uuid}`).waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  t.notOk(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), 'it fits a telephone');
  await picture(page, 'catalogue-360');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${url}/console/#/tasks`);
  await page.getByText('There is no view of this name.').waitFor();

  const secret = (await readFile(join(dataDir, 'keys', 'operator.token'), 'utf8')).trim();
  const authorization = `Bearer ${secret}`;
  const made = await asker(t, url)('/console/tokens', { method: 'POST', headers: { authorization } });
  await page.goto(`${url}/console/#/login/${made.json.token}`);
  await page.getByRole('link', { name: 'Tasks' }).waitFor();
  t.notMatch(page.url(), made.json.token, 'the token is in no history');
  await page.getByLabel('State').selectOption('all');
  await page.getByRole('link', { name: 'not-for-strangers' }).waitFor();
  // The session ends elsewhere, or by itself.
  const ended = await page.request.post(`${url}/console/logout`, { headers: { origin: url } });
  t.equal(ended.status(), 204);
  await page.getByRole('link', { name: 'Tasks' }).click();
  await page.getByRole('alert').getByText('imgapiadm console-login').waitFor();
  t.strictSame(await barriers(page), [], 'nobody is logged in any more');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('link', { name: 'Tasks' }).waitFor({ state: 'detached' });
  t.strictSame(faults, []);
});
