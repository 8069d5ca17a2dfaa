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
  });
  const shown = imageRecord('active', { name: 'base-64', version: '24.4.1', owner: ADMIN, public: true });
  const hidden = imageRecord('disabled', { name: 'not-for-strangers', owner: ADMIN, public: true });
  await putRecords(imgapi.service, [shown, hidden]);
  const { page, faults } = await openBrowser(t, url);
  await page.goto(`${url}/console/`);
  await page.getByRole('heading', { name: 'Image catalogue' }).waitFor();
  await page.getByRole('link', { name: 'base-64' }).waitFor();
  t.equal(await page.locator('tbody tr').count(), 1);
  t.strictSame(await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents(), ['Images']);
  await picture(page, 'catalogue');
  await page.getByRole('link', { name: 'base-64' }).click();
  await page.getByText(`imgadm import -S ${url} ${shown.uuid}`).waitFor();
  t.strictSame(await barriers(page), []);
  await picture(page, 'catalogue-one');
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
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('link', { name: 'Tasks' }).waitFor({ state: 'detached' });
  t.strictSame(faults, []);
});
