/** The console as people see it, in a real browser: the story of two datacenters, and what must hold in every view. */
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { startVmapi } from '../../doubles/triton/vmapi.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startCloud } from '../../helpers/cloud.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { imageRecord, putRecords } from '../../src/imgapi/fixtures/records.ts';
import { missing } from '../installed.ts';
import { barriers, openBrowser, picture, pictures } from './browser.ts';

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
  const vmapi = await startVmapi();
  t.teardown(() => vmapi.stop());
  const { east, west } = await startCloud(t, {
    east: { ...keys, vmapi: { url: vmapi.url } },
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
  await pictures(page, 'image');

  const there = await openBrowser(t, west.front.url);
  await there.page.goto(`${west.front.url}/console/#/copies`);
  await there.page.getByLabel('Image').fill(image.uuid);
  await there.page.getByLabel('For the account').fill(ALICE);
  await there.page.getByRole('button', { name: 'What would come?' }).click();
  await there.page.getByText('my-base 1.0.0').waitFor();
  await there.page.getByRole('button', { name: 'Order the copy' }).click();
  const card = there.page.getByRole('region', { name: 'Copy of my-image 2.0.0' });
  await card.getByText('running').first().waitFor();
  await card
    .getByText(/^[1-9]\d*\s%/)
    .last()
    .waitFor();
  await pictures(there.page, 'copying');
  await card.getByText('100 %, 5.7 MiB').waitFor();
  await card.getByText('succeeded').first().waitFor();
  await picture(there.page, 'copied');
  t.equal((await west.operator.getImage(image.uuid)).state, 'active');

  await page.reload();
  const holder = page.getByRole('listitem').filter({ hasText: 'us-west: has it' });
  await holder.getByText('active').waitFor();
  await holder.getByText(image.files[0]?.sha1 ?? 'a hash').waitFor();
  await page.getByText('No image builds on it.').waitFor();
  await page.getByText('No machine is made of it.').waitFor();
  const vm = { uuid: randomUUID(), owner_uuid: ALICE, image_uuid: image.uuid, alias: 'web-1', state: 'running' };
  vmapi.vms.set(vm.uuid, vm);
  await page.reload();
  await page.getByText('Machines made of it: 1').waitFor();
  await page
    .getByRole('listitem')
    .filter({ hasText: `web-1 ${vm.uuid}` })
    .getByText('running')
    .waitFor();
  t.strictSame(await barriers(page), [], 'with machines');
  vmapi.fault = () => 'reset';
  await page.reload();
  await page.getByText('Machines are not known: ').waitFor();
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

  await there.page.getByRole('textbox', { name: 'Image' }).fill(randomUUID());
  await there.page.getByRole('button', { name: 'What would come?' }).click();
  await there.page.getByRole('alert').getByText('us-east').waitFor();

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
    if (view === 'metrics') await there.page.locator('figure canvas').first().waitFor();
    t.notOk(await isTooWide(there.page), `${view} fits a telephone`);
    await picture(there.page, `${view.replace(/\/.*/, '-one')}-360`);
  }

  // Neither can reach the other any more.
  for (const { network } of [east, west]) {
    network.trouble = { kind: 'refuse' };
    network.cutAll();
  }
  await there.page.goto(`${west.front.url}/console/#/datacenters`);
  await there.page.getByRole('region', { name: 'us-east' }).getByText('does not work').waitFor();
  t.notOk(await isTooWide(there.page));
  t.strictSame(await barriers(there.page), [], 'a link that does not work');
  await picture(there.page, 'unreachable-360');
  await there.page.goto(`${west.front.url}/console/#/images/${image.uuid}`);
  const elsewhere = there.page.getByRole('listitem').filter({ hasText: 'us-east: has it, as recorded here' });
  await elsewhere.locator('.problem').waitFor();
  t.strictSame(await barriers(there.page), [], 'an image whose source cannot be reached');
  const { image: fourth } = await makeImage(east.alice, { name: 'waits', version: '1.0.0' }, { size: 1000 });
  await page.goto(`${east.front.url}/console/#/images/${fourth.uuid}`);
  await page.getByRole('button', { name: 'Copy there: us-west' }).click();
  const waiting = page.getByRole('region', { name: `Order for image ${fourth.uuid}` });
  await waiting.getByText('It has not taken the order yet.').waitFor();
  await waiting.getByRole('link', { name: 'waits 1.0.0' }).waitFor();
  await waiting.locator('.problem').waitFor();
  t.strictSame(await barriers(page), [], 'an order that waits');
  await picture(page, 'waiting');
  for (const { network } of [east, west]) network.trouble = { kind: 'none' };
  await waiting.getByRole('heading').getByText('succeeded').waitFor();
  for (const { faults, foreign } of [here, there]) {
    t.strictSame(faults, []);
    t.strictSame(foreign, [], 'nothing is asked of anybody else');
  }
});

test('names are shown as they are, whatever they look like, and the keyboard reaches everything', {
  skip,
}, async (t) => {
  const keys = { console: { write: true }, metrics: { address: '127.0.0.1', port: 0 } };
  const { imgapi, url } = await startInProcess(t, keys);
  const { page, faults } = await openBrowser(t, url);
  await page.goto(`${url}/console/`);
  await page.getByText('There is no image here yet.').waitFor();
  t.strictSame(await barriers(page), [], 'no image');
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
  await page.reload();
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

  await t.test(
    'who chooses by the keyboard stays there, and who follows a link goes on in what it leads to',
    async (t) => {
      await page.goto(`${url}/console/#/images`);
      await page.getByRole('link', { name: 'image-59' }).waitFor();
      const system = page.getByLabel('System');
      await system.focus();
      await page.keyboard.press('ArrowDown');
      await page.waitForURL(/os=smartos/);
      await page.keyboard.press('ArrowDown');
      await page.waitForURL(/os=linux/);
      await page.getByText('No image matches.').waitFor();
      t.equal(await page.evaluate('document.activeElement.name'), 'os');
      await page.goBack();
      await page.getByText('50 images, newest first; there are older ones').waitFor();
      t.equal(await system.inputValue(), 'smartos', 'the fields say what the address says');
      await page.getByLabel('Owner').fill('alice');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('by the UUID').waitFor();
      t.equal(await page.getByLabel('Owner').inputValue(), 'alice', 'it can be mended');
      t.strictSame(await barriers(page), [], 'a filter that is refused');
      await page.getByRole('link', { name: 'image-59' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: /image-59/ }).waitFor();
      t.equal(await page.evaluate('document.activeElement.id'), 'main');
      t.match(await page.title(), /^image-59 /);
    },
  );

  await t.test('long names, and words of other scripts, break nothing, not even on the smallest screen', async (t) => {
    const names = ['w'.repeat(1024), 'name with spaces '.repeat(20)];
    const description = 'שרת <b>WWW</b> (1)\n\u202etxet';
    const odd = names.map((name) =>
      imageRecord('active', {
        ...{ name, version: '1.'.repeat(100), published_at: '2027-01-01T00:00:00.000Z', description },
        tagsObj: { [HOSTILE.slice(0, 20)]: 'x'.repeat(300) },
      }),
    );
    await putRecords(imgapi.service, odd);
    for (const width of [320, 360, 640, 1280]) {
      await page.setViewportSize({ width, height: 740 });
      for (const path of ['', ...odd.map(({ uuid }) => `/${uuid}`)]) {
        await page.goto(`${url}/console/#/images${path}`);
        await isLoaded(page);
        if (path !== '') await page.locator('.description').waitFor();
        if (path === '') await page.getByRole('link', { name: names[0] ?? '' }).waitFor();
        t.notOk(await isTooWide(page), `${path} fits ${width} points`);
        await picture(page, `odd${path === '' ? '' : '-one'}-${width}`);
      }
      t.strictSame(await barriers(page), [], `${width} points`);
    }
  });

  await t.test('what the server refuses, or does not answer, is told in words', async (t) => {
    const [first] = records;
    const place = `${url}/console/#/images/${first?.uuid}`;
    await page.goto(`${url}/console/#/images/${randomUUID()}`);
    await page.getByRole('alert').getByText('not found').waitFor();
    await page.route('**/usage*', (route) =>
      route.fulfill({ status: 503, json: { code: 'ServerBusy', message: 'too much is under way' } }),
    );
    await page.route('**/acl?*', (route) =>
      route.fulfill({ status: 403, json: { code: 'OperatorOnly', message: 'only operators may do this' } }),
    );
    await page.goto(place);
    await page.getByText('too much is under way').waitFor();
    await page.getByLabel('Login or account UUID').fill('bob');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('only operators may do this').waitFor();
    t.equal(await page.getByLabel('Login or account UUID').inputValue(), 'bob', 'it can be tried again');
    t.strictSame(await barriers(page), [], 'refusals');
    await picture(page, 'refused');
    await page.unrouteAll();
    // The session ended while the view was open.
    await page.route('**/acl?*', (route) =>
      route.fulfill({ status: 401, json: { code: 'UnauthorizedError', message: 'the request is not signed' } }),
    );
    await page.getByLabel('Login or account UUID').press('Enter');
    await page.getByRole('alert').getByText('imgapiadm console-login').waitFor();
    await page.unrouteAll();
    await page.route('**/tasks', (route) => route.fulfill({ status: 502, body: '<h1>Bad Gateway</h1>' }));
    await page.goto(`${url}/console/#/tasks`);
    await page.getByText('The answer is 502').waitFor();
    await page.unrouteAll();
    await page.route('**/tasks', (route) => route.abort());
    await page.reload();
    await page.getByText('The server cannot be reached.').waitFor();
    await page.unrouteAll();
    await page.getByRole('row', { name: /sweep-staging/ }).waitFor();
    await page.getByText('The server cannot be reached.').waitFor({ state: 'detached' });
    await page.route('**/modules/uplot*', (route) => route.abort());
    await page.goto(`${url}/console/#/metrics`);
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
    await page.unrouteAll();
    await page.locator('figure canvas').first().waitFor();

    // Who has been asked for a password in front of the server.
    const signIn = { status: 200, contentType: 'text/html', body: '<h1>Sign in</h1>' };
    for (const view of ['images', `images/${first?.uuid}`, 'copies', 'datacenters', 'tasks', 'metrics']) {
      await page.goto(`${url}/console/#/${view === 'images' ? 'tasks' : 'images'}`);
      await isLoaded(page);
      const asked = ({ pathname }: URL): boolean =>
        !pathname.startsWith('/console/') || pathname === '/console/metrics';
      await page.route(asked, (route) => route.fulfill(signIn));
      await page.goto(`${url}/console/#/${view}`);
      await page.getByRole('alert').getByText('What answers is not the image server').first().waitFor();
      t.equal(await page.getByText('Loading …').count(), 0, `${view} waits for nothing`);
      await page.unrouteAll();
    }
    await page.goto(place);
    await page.route('**/acl?*', (route) => route.fulfill(signIn));
    await page.getByLabel('Login or account UUID').fill('bob');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('What answers is not the image server').waitFor();
    t.equal(await page.getByLabel('Login or account UUID').inputValue(), 'bob', 'nothing was shared');
    await page.unrouteAll();

    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await page.route('**/images?*', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`${url}/console/#/images`);
    await page.getByText('The server takes its time.').waitFor();
    t.strictSame(await barriers(page), [], 'a slow server');
    goOn();
    await page.getByRole('link', { name: 'image-59' }).waitFor();
    await page.unrouteAll({ behavior: 'wait' });
  });
  t.strictSame(faults, []);
});
