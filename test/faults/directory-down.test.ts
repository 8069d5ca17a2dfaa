/**
 * UFDS is away, or hangs: what needs an account is 503 with Retry-After, and everything else goes on as if nothing was. A look-up
 * may take three seconds here; what needs none has to be answered in less than one, by which nobody can have waited for it.
 */
import { type Test, test } from 'tap';
import { request } from 'undici';
import { ALICE, BOB, CAROL } from '../helpers/accounts.ts';
import { askHealth } from '../helpers/health.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { type ConfigKeys, type InProcess, spawnImgapi, startInProcess } from '../helpers/imgapi.ts';
import { type TestUfds, ufdsFor } from '../helpers/ufds.ts';
import { waitFor } from '../helpers/wait.ts';

const LOOK_UP_SECONDS = 3;
const AT_ONCE_MS = 1000;
/** Nobody's: whoever asks for it asks the directory. */
const STRANGER = 'd0000000-0000-4000-8000-000000000000';

type Ask = readonly [what: string, status: number, method: string, path: string, json?: object];

/** How it fails: down is refused at once, hanging is found out by waiting. */
const FAULTS: Readonly<Record<string, (ufds: TestUfds) => Promise<void>>> = {
  down: ({ double }) => double.takeDown(),
  hanging: async ({ double }) => {
    double.hangs = true;
  },
};

async function serverWith(t: Test, ufds: TestUfds, keys: ConfigKeys = {}): Promise<InProcess> {
  const section = { ...(ufds.keys['ufds'] as object), timeoutSeconds: LOOK_UP_SECONDS };
  const accounts = { file: undefined, cacheSeconds: 3600, negativeCacheSeconds: 0 };
  return startInProcess(t, { ...ufds.keys, ufds: section, accounts, ...keys });
}

async function timed(url: string, [, , method, path, json]: Ask) {
  const begin = performance.now();
  const { statusCode, headers, body } = await request(`${url}${path}`, {
    method: method as 'GET',
    headers: { 'accept-version': '~3', ...(json && { 'content-type': 'application/json' }) },
    ...(json && { body: JSON.stringify(json) }),
  });
  const text = await body.text();
  return { status: statusCode, headers, text, ms: performance.now() - begin };
}

for (const [name, fail] of Object.entries(FAULTS)) {
  test(`with the directory ${name}, what needs no account is answered at once`, async (t) => {
    const ufds = await ufdsFor(t);
    const { url, client } = await serverWith(t, ufds);
    const { image } = await makeImage(client(), {}, { owner: ALICE });
    const { image: other } = await makeImage(client(), {}, { owner: BOB });
    await fail(ufds);
    const own = `account=${ALICE}`;
    const asks: readonly Ask[] = [
      ['GetImage', 200, 'GET', `/images/${image.uuid}`],
      ['GetImage for an account', 200, 'GET', `/images/${image.uuid}?${own}`],
      ['GetImage of nobody', 404, 'GET', `/images/${STRANGER}?${own}`],
      ['ListImages', 200, 'GET', `/images`],
      ['ListImages of an account', 200, 'GET', `/images?owner=${BOB}&${own}`],
      ['ListImages of what is shared', 200, 'GET', `/images?shared=true&${own}`],
      ['GetImageFile', 200, 'GET', `/images/${image.uuid}/file?${own}`],
      ['GetImageIcon', 404, 'GET', `/images/${image.uuid}/icon?${own}`],
      ['UpdateImage', 200, 'POST', `/images/${image.uuid}?action=update&${own}`, { description: 'x' }],
      ['AddImageAcl by UUID', 200, 'POST', `/images/${image.uuid}/acl?action=add&${own}`, [CAROL]],
      ['RemoveImageAcl by login', 200, 'POST', `/images/${image.uuid}/acl?action=remove&${own}`, ['carol']],
      ['DisableImage', 200, 'POST', `/images/${image.uuid}?action=disable&${own}`],
      ['EnableImage', 200, 'POST', `/images/${image.uuid}?action=enable&${own}`],
      [
        'CreateImage by the admin',
        200,
        'POST',
        '/images',
        { ...MANIFEST, owner: '930896af-bf8c-48d4-885c-6573a94b1853' },
      ],
      ['CreateImage by an account that is remembered', 200, 'POST', `/images?${own}`, { ...MANIFEST, owner: ALICE }],
      ['ListCopies', 200, 'GET', '/copies'],
      ['ListTasks', 200, 'GET', '/tasks'],
      ['Ping', 200, 'GET', '/ping'],
      ['DeleteImage', 204, 'DELETE', `/images/${other.uuid}?account=${BOB}`],
    ];
    // The very first one, too, which finds out that the directory is away.
    for (const ask of asks) {
      const { status, text, ms } = await timed(url, ask);
      t.equal(status, ask[1], `${ask[0]}: ${text.slice(0, 200)}`);
      t.ok(ms < AT_ONCE_MS, `${ask[0]} took ${Math.round(ms)} ms`);
    }
    const health = await askHealth(`${url}/healthz`);
    t.equal(health.status, 200, 'nor are requests sent elsewhere');
  });

  test(`with the directory ${name}, what needs an account is 503 with Retry-After, and soon without waiting`, async (t) => {
    const ufds = await ufdsFor(t);
    const { url, client } = await serverWith(t, ufds);
    const { image } = await makeImage(client(), {}, { owner: ALICE });
    await fail(ufds);
    const asks: readonly Ask[] = [
      ['AddImageAcl by login', 503, 'POST', `/images/${image.uuid}/acl?action=add&account=${ALICE}`, ['carol']],
      ['UpdateImage of the ACL', 503, 'POST', `/images/${image.uuid}?action=update&account=${ALICE}`, { acl: ['bob'] }],
      ['CreateImage with an ACL', 503, 'POST', `/images?account=${ALICE}`, { ...MANIFEST, owner: ALICE, acl: ['bob'] }],
      ['CreateImage by an unknown account', 503, 'POST', `/images`, { ...MANIFEST, owner: STRANGER }],
    ];
    await timed(url, asks[0] as Ask);
    for (const ask of asks) {
      const { status, headers, text, ms } = await timed(url, ask);
      t.equal(status, 503, `${ask[0]}: ${text}`);
      t.match(JSON.parse(text), { code: 'ServiceUnavailable', message: /directory cannot be reached/ }, ask[0]);
      t.match(headers['retry-after'], /^\d+$/, ask[0]);
      t.ok(ms < AT_ONCE_MS, `${ask[0]} took ${Math.round(ms)} ms`);
    }
    t.strictSame((await client().getImage(image.uuid)).acl ?? [], [], 'and nothing was written');
    ufds.double.hangs = false;
    if (name === 'down') await ufds.double.bringUp();
    await waitFor('the directory to be used again', async () => (await timed(url, asks[0] as Ask)).status === 200);
  });
}

test('names of owners that are remembered are shown while the directory is away, others are left out', async (t) => {
  const ufds = await ufdsFor(t);
  const { client } = await serverWith(t, ufds);
  const asked = client({ version: '~3' });
  const { image } = await makeImage(asked, {}, { owner: ALICE });
  t.equal((await asked.getImage(image.uuid)).owner_login, 'alice');
  await ufds.double.takeDown();
  t.equal((await asked.getImage(image.uuid)).owner_login, 'alice');
});

test('a process starts without its directory, and with a wrong password, and the log says which', async (t) => {
  const ufds = await ufdsFor(t);
  ufds.double.password = 'another';
  let log = '';
  const server = await spawnImgapi(t, { ...ufds.keys, logLevel: 'warn' }, { onLog: (text) => (log += text) });
  await waitFor('a line in the log', () => log.includes('it refuses ufds.bindDN with ufds.bindPassword'));
  t.notMatch(log, /"secret"|another/);
  t.equal((await timed(server.url, ['', 0, 'GET', '/images'])).status, 200);
  await ufds.double.takeDown();
  let second = '';
  const other = await spawnImgapi(t, { ...ufds.keys, logLevel: 'warn' }, { onLog: (text) => (second += text) });
  await waitFor('a line in the log', () => second.includes('ECONNREFUSED'));
  t.equal((await timed(other.url, ['', 0, 'GET', '/images'])).status, 200);
});
