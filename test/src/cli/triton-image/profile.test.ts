import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Environment } from '#src/cli/framework/command.ts';
import type { TritonValues } from '#src/cli/triton-image/options.ts';
import { loadProfile } from '#src/cli/triton-image/profile.ts';
import { temporaryFolder } from '../../../helpers/imgapi.ts';

const NONE: TritonValues = {
  profile: undefined,
  account: undefined,
  'act-as': undefined,
  user: undefined,
  role: undefined,
  keyId: undefined,
  'token-file': undefined,
  url: undefined,
  insecure: false,
};
const KEY = 'aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99';
const WEST = { url: 'https://us-west-1.example.com', account: 'alice', keyId: KEY };
const ENV = { TRITON_URL: 'http://env', TRITON_ACCOUNT: 'eve', TRITON_KEY_ID: KEY };

const home = await temporaryFolder(t, 'triton-profiles');
const directory = join(home, '.triton');
await mkdir(join(directory, 'profiles.d'), { recursive: true });
const write = (path: string, value: unknown): Promise<void> =>
  writeFile(join(directory, path), typeof value === 'string' ? value : JSON.stringify(value));
await write('profiles.d/west.json', WEST);
await write('profiles.d/lab.json', {
  ...WEST,
  account: 'lab',
  insecure: true,
  user: 'sub',
  actAsAccount: 'bob',
  roles: ['readers', 'writers'],
});
await write('profiles.d/roles.json', { ...WEST, roles: [7] });
await write('profiles.d/partial.json', { url: WEST.url });
await write('profiles.d/odd.json', { ...WEST, insecure: 'yes' });
await write('profiles.d/far.json', { ...WEST, url: 'ftp://x' });
await write('profiles.d/broken.json', '{');
await write('profiles.d/list.json', []);

const load = (values: Partial<TritonValues> = {}, env: Environment = {}) =>
  loadProfile({ ...NONE, ...values }, { HOME: home, ...env });

t.test('a profile by name, from the option or TRITON_PROFILE', async (t) => {
  t.strictSame(await load({ profile: 'west' }), { name: 'west', ...WEST, insecure: false });
  t.match(await load({}, { TRITON_PROFILE: 'lab' }), { name: 'lab', insecure: true, user: 'sub', actAsAccount: 'bob' });
  t.match(await load({ profile: 'lab' }), { roles: 'readers,writers' });
  t.match(await load({ profile: 'west' }, { TRITON_PROFILE: 'lab', ...ENV }), { name: 'west', account: 'alice' });
});

t.test('options go before the profile, whichever it is', async (t) => {
  const values = {
    url: 'http://here',
    account: 'carol',
    keyId: 'x',
    insecure: true,
    user: 'u',
    role: 'r',
    'act-as': 'bob',
  };
  const all = {
    url: 'http://here',
    account: 'carol',
    keyId: 'x',
    insecure: true,
    user: 'u',
    roles: 'r',
    actAsAccount: 'bob',
  };
  for (const profile of ['west', 'lab', 'partial', 'env']) {
    t.strictSame(await load({ profile, ...values }), { name: profile, ...all });
  }
});

t.test('without a name it is the current one, and without that the environment', async (t) => {
  t.match(await load({}, ENV), { name: 'env', url: 'http://env', account: 'eve' });
  await write('config.json', { profile: 'west' });
  t.match(await load({}, ENV), { name: 'west' });
  t.match(await load({ profile: 'env' }, ENV), { name: 'env' });
});

t.test('where profiles are: TRITON_CONFIG_DIR, XDG_CONFIG_HOME, ~/.triton', async (t) => {
  t.match(await load({ profile: 'west' }, { HOME: '/nonexistent', TRITON_CONFIG_DIR: directory }), {
    account: 'alice',
  });
  t.match(await load({ profile: 'west' }, { TRITON_CONFIG_DIR: '~/.triton' }), { account: 'alice' });
  await mkdir(join(home, 'xdg/triton/profiles.d'), { recursive: true });
  await writeFile(join(home, 'xdg/triton/profiles.d/west.json'), JSON.stringify({ ...WEST, account: 'xdg' }));
  t.match(await load({ profile: 'west' }, { XDG_CONFIG_HOME: join(home, 'xdg') }), { account: 'xdg' });
});

t.test('the environment has SDC names as well, TRITON ones go before them', async (t) => {
  const sdc = { SDC_URL: 'http://sdc', SDC_ACCOUNT: 'sue', SDC_KEY_ID: KEY, SDC_USER: 'sub' };
  t.match(await load({ profile: 'env' }, sdc), { url: 'http://sdc', account: 'sue', user: 'sub', insecure: false });
  t.match(await load({ profile: 'env' }, { ...sdc, ...ENV }), { url: 'http://env', account: 'eve' });
  t.match(await load({ profile: 'env' }, { ...ENV, TRITON_ACT_AS: 'bob' }), { actAsAccount: 'bob' });
  t.match(await load({ profile: 'env' }, { ...ENV, TRITON_ROLE: 'a,b' }), { roles: 'a,b' });
});

for (const [setting, insecure] of [
  [{ TRITON_TLS_INSECURE: '1' }, true],
  [{ TRITON_TLS_INSECURE: 'false', SDC_TESTING: 'x' }, false],
  [{ SDC_TLS_INSECURE: 'true' }, true],
  [{ SDC_TESTING: 'x' }, true],
  [{}, false],
] as const) {
  t.test(`with ${JSON.stringify(setting)} certificates are ${insecure ? 'not ' : ''}checked`, async (t) => {
    t.equal((await load({ profile: 'env' }, { ...ENV, ...setting })).insecure, insecure);
  });
}

for (const [name, message] of [
  ['nosuch', /there is no profile "nosuch": no file .*nosuch\.json/],
  ['../config', /there is no profile "\.\.\/config"/],
  ['partial', /profile "partial" has no account, no keyId/],
  ['odd', /insecure of profile "odd" is "yes"; it must be true or false/],
  ['far', /url of profile "far" is "ftp:\/\/x"; it must be an http or https URL/],
  ['roles', /roles of profile "roles" is \[7\]; it must be a list of strings/],
  ['broken', /broken\.json is not valid JSON/],
  ['list', /list\.json must hold a JSON object/],
] as const) {
  t.test(`profile ${name} is refused with what is wrong`, async (t) => {
    await t.rejects(load({ profile: name }), { code: 'Profile', message });
  });
}

t.test('a setting that is neither true nor false is refused', async (t) => {
  const env = { ...ENV, TRITON_TLS_INSECURE: 'maybe' };
  await t.rejects(load({ profile: 'env' }, env), { message: /TRITON_TLS_INSECURE is "maybe"/ });
});

t.test('whoever has no profile at all is told how to get one', async (t) => {
  const nobody = loadProfile(NONE, { HOME: await temporaryFolder(t) });
  await t.rejects(nobody, {
    message: 'the environment has no url (TRITON_URL), no account (TRITON_ACCOUNT), no keyId (TRITON_KEY_ID)',
    details: [/triton profile create/],
  });
});
