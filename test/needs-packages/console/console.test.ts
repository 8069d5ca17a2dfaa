/** The console as people see it, in a real browser: the story of two datacenters, and what must hold in every view. */
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startCloud } from '../../helpers/cloud.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { imageRecord, putRecords } from '../../src/imgapi/fixtures/records.ts';
import { missing } from '../installed.ts';
import { barriers, openBrowser, picture } from './browser.ts';

const skip = missing('chromium');
const SCHEMES = ['light', 'dark'] as const;
const HOSTILE = '<img src=x onerror="globalThis.wasRun=1"><script>globalThis.wasRun=1</script>';

/** Whether something is wider than the window. */
const isTooWide = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth > innerWidth') as Promise<boolean>;

/** Whether all that the view shows is there. */
async function isLoaded(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await page.getByText('Loading …').first().waitFor({ state: 'detached' });
}

test('an image is found, shared and copied to another datacenter, by clicks alone', { skip }, async (t) => {
  const keys = { console: { write: true }, metrics: { address: '127.0.0.1', port: 0 } };
  const { east, west } = await startCloud(t, {
    east: keys,
    west: {
      ...keys,
      copies: { bandwidth: { 'us-east': 2_000_000 } },
      links: { acceptOrders: { 'us-east': { bytesPerDay: 100_000_000 } } },
    },
  });
  const { image: base } = await makeImage(east.alice, { name: 'my-base', version: '1.0.0' }, { size: 300_000 });
  const fields = { name: 'my-image', version: '2.0.0', origin: base.uuid, description: 'With a web server.' };
  const { image } = await makeImage(east.alice, fields, { size: 6_000_000 });

  const here = await openBrowser(t, east.front.url);
  const { page } = here;
  await page.goto(`${east.front.url}/console`);
  await page.getByRole('searchbox').fill('my-im');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'my-image' }).click();
  await page.getByRole('heading', { name: /my-image 2\.0\.0/ }).waitFor();
  await page.getByRole('link', { name: /my-base.*1\.0\.0/ }).waitFor();
  await page.getByLabel('Login or account UUID').fill('bob');
  await page.getByRole('button', { name: 'Share: bob' }).click();
  await page.getByRole('button', { name: 'Unshare: bob' }).waitFor();
  t.strictSame((await east.operator.getImage(image.uuid)).acl, ['bob']);
  const share = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: 'Unshare: bob' }) });
  await share.getByText('no answer').waitFor();
  const bob = new ImgapiClient({ url: east.front.url, account: BOB });
  t.teardown(() => bob.destroy());
  await bob.acceptImage(image.uuid);
  await page.reload();
  await share.getByText('accepted').waitFor();
  await picture(page, 'image');

  const there = await openBrowser(t, west.front.url);
  await there.page.goto(`${west.front.url}/console/#/copies`);
  await there.page.getByLabel('Image').fill(image.uuid);
  await there.page.getByLabel('For the account').fill(ALICE);
  await there.page.getByRole('button', { name: 'What would come?' }).click();
  await there.page.getByText('my-base 1.0.0').waitFor();
  await there.page.getByRole('button', { name: 'Order the copy' }).click();
  const card = there.page.getByRole('region', { name: 'Copy of my-image 2.0.0' });
  await card.getByText('running').first().waitFor();
  await picture(there.page, 'copying');
  await card.getByText('100 %, 5.7 MiB').waitFor();
  await card.getByText('succeeded').first().waitFor();
  await picture(there.page, 'copied');
  t.equal((await west.operator.getImage(image.uuid)).state, 'active');

  await page.reload();
  const holder = page.getByRole('listitem').filter({ hasText: 'us-west: has it' });
  await holder.getByText('active').waitFor();
  await holder.getByText(image.files[0]?.sha1 ?? 'a hash').waitFor();
  await page.getByText('No image builds on it.').waitFor();
  await page.getByRole('link', { name: /my-base.*1\.0\.0/ }).click();
  await page.getByText('Images that build on it: 1').waitFor();
  await page.getByRole('link', { name: 'my-image 2.0.0' }).click();
  await page.getByRole('heading', { name: /my-image 2\.0\.0/ }).waitFor();

  await page.locator('summary', { hasText: 'What happened' }).click();
  await page.getByRole('row', { name: /share entries bob/ }).waitFor();
  await picture(page, 'events');
  t.strictSame(await barriers(page), [], 'events');

  const { image: third } = await makeImage(east.alice, { name: 'for-all', version: '1.0.0' }, { size: 8_000_000 });
  await page.goto(`${east.front.url}/console/#/images/${third.uuid}`);
  await page.getByRole('button', { name: 'Copy there: us-west' }).click();
  const order = page.getByRole('region', { name: `Order for image ${third.uuid}` });
  await order.getByRole('button', { name: /^Cancel/ }).click();
  await order.getByRole('heading').getByText('canceled').waitFor();
  await order.getByRole('button', { name: /^Try again/ }).click();
  await order.getByRole('heading').getByText('succeeded').waitFor();
  t.equal((await west.operator.getImage(third.uuid)).state, 'active');
  await picture(page, 'fan-out');
  t.strictSame(await barriers(page), [], 'orders to others');

  for (const colorScheme of SCHEMES) {
    await there.page.emulateMedia({ colorScheme });
    for (const view of ['images', `images/${image.uuid}`, 'copies', 'datacenters', 'tasks', 'metrics']) {
      await there.page.goto(`${west.front.url}/console/#/${view}`);
      await isLoaded(there.page);
      if (view === 'metrics') await there.page.locator('figure canvas').first().waitFor();
      t.strictSame(await barriers(there.page), [], `${view}, ${colorScheme}`);
      await picture(there.page, `${view.replace(/\/.*/, '-one')}-${colorScheme}`);
    }
  }
  for (const view of ['images', `images/${image.uuid}`, 'copies', 'datacenters', 'tasks', 'metrics']) {
    await there.page.setViewportSize({ width: 360, height: 740 });
    await there.page.goto(`${west.front.url}/console/#/${view}`);
    await isLoaded(there.page);
    t.notOk(await isTooWide(there.page), `${view} fits a telephone`);
    await picture(there.page, `${view.replace(/\/.*/, '-one')}-360`);
  }
  for (const { faults, foreign } of [here, there]) {
    t.strictSame(faults, []);
    t.strictSame(foreign, [], 'nothing is asked of anybody else');
  }
});

test('names are shown as they are, whatever they look like, and the keyboard reaches everything', {
  skip,
}, async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const records = Array.from({ length: 60 }, (_, index) => {
    const day = new Date(Date.UTC(2026, 0, index + 1)).toISOString();
    return imageRecord('active', {
      uuid: randomUUID(),
      name: `image-${index}`,
      published_at: day,
      description: HOSTILE,
    });
  });
  await putRecords(imgapi.service, records);
  const { page, faults } = await openBrowser(t, url);
  await page.goto(`${url}/console/`);
  await page.getByRole('link', { name: 'image-59' }).waitFor();
  t.equal(await page.locator('tbody tr').count(), 50);
  await page.getByRole('link', { name: 'Older' }).click();
  await page.getByRole('link', { name: 'image-0', exact: true }).waitFor();
  t.equal(await page.locator('tbody tr').count(), 10);
  await page.goBack();
  await page.getByRole('link', { name: 'image-59' }).waitFor();

  await page.keyboard.press('/');
  await page.keyboard.type('image-7');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'image-7' }).waitFor();
  await page.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'image-7' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.description').waitFor();
  t.equal(await page.locator('.description').textContent(), HOSTILE);
  t.equal(await page.evaluate('globalThis.wasRun'), undefined);
  await page.goto(`${url}/console/#/images?name=${encodeURIComponent(HOSTILE)}`);
  await page.getByText('No image matches.').waitFor();
  t.equal(await page.getByRole('searchbox').inputValue(), HOSTILE);
  t.equal(await page.evaluate('globalThis.wasRun'), undefined);
  t.strictSame(faults, []);
});
