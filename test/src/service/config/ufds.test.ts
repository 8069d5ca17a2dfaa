/** The section `ufds` of a configuration: which accounts are used, and what the log should say of the way there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { checkCloudapiConfig } from '#src/cloudapi/config.ts';
import { ConfigError } from '#src/service/config/config-error.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { type UfdsConfig, ufdsOptionsOf } from '#src/service/config/ufds.ts';
import { selfSigned } from '../../../helpers/ufds.ts';

const DC = { mode: 'dc', datacenterName: 'us-1', adminUuid: '930896af-bf8c-48d4-885c-6573a94b1853' };
/** As Triton's template renders it. */
const RENDERED = { url: 'ldaps://ufds.us-1.example.com', bindDN: 'cn=root', bindPassword: 'secret' };

async function problemsOf(ufds: unknown): Promise<readonly string[]> {
  const error = await loadConfig(undefined, { ...DC, ufds }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ConfigError ? error.problems : [];
}

async function used(keys: object): Promise<UfdsConfig> {
  const { config } = await loadConfig(undefined, { ...DC, ufds: { ...RENDERED, ...keys } });
  if (!config.ufds) throw new Error('ufds is not used');
  return config.ufds;
}

test('the section that Triton renders is used, whatever else it has, and the log says that nothing is verified', async (t) => {
  const ufds = { ...RENDERED, cache: { size: 1000 }, clientTimeout: 2000 };
  const { config, unknownKeys, notes } = await loadConfig(undefined, { ...DC, ufds });
  t.match(config.ufds, { ...RENDERED, base: 'ou=users, o=smartdc' });
  t.strictSame([...unknownKeys].sort(), ['ufds.cache', 'ufds.clientTimeout']);
  t.match(notes, [/^ufds: the certificate of the directory is not verified; name its CA in ufds.caFile/]);
});

test('an accounts file that is named is used in place of ufds, as it was before', async (t) => {
  const { config, notes } = await loadConfig(undefined, { ...DC, ufds: RENDERED, accounts: { file: '/a.json' } });
  t.equal(config.ufds, undefined);
  t.equal(config.accounts.file, '/a.json');
  t.strictSame(notes, ['ufds: not used: accounts.file is given, and used in its place']);
});

test('a server without accounts uses no directory', async (t) => {
  const { config, notes } = await loadConfig(undefined, { mode: 'private', ufds: RENDERED });
  t.equal(config.ufds, undefined);
  t.strictSame(notes, ['ufds: not used: mode "private" has no accounts']);
});

test('a certificate is verified as soon as it is said by whom it is signed, or that it must be', async (t) => {
  const caFile = join(t.testdir(), 'ca.pem');
  const { certificate: ca } = selfSigned('ufds');
  await writeFile(caFile, ca);
  t.strictSame((await ufdsOptionsOf(await used({}))).tls, { insecure: true });
  t.strictSame((await ufdsOptionsOf(await used({ insecure: false }))).tls, { insecure: false });
  t.strictSame((await ufdsOptionsOf(await used({ caFile }))).tls, { insecure: false, ca });
  t.strictSame((await ufdsOptionsOf(await used({ caFile, serverName: 'ufds' }))).tls, {
    ...{ insecure: false, ca },
    serverName: 'ufds',
  });
  await t.rejects(ufdsOptionsOf(await used({ caFile: '/no/such.pem' })), {
    name: 'ConfigError',
    message: /ufds\.caFile: \/no\/such\.pem cannot be read/,
  });
});

test('a password that goes over the network in the clear is noted', async (t) => {
  for (const [url, isNoted] of [
    ['ldap://ufds.example.com', true],
    ['ldap://10.0.0.1:1389', true],
    ['ldap://127.0.0.1:1389', false],
    ['ldap://[::1]', false],
    ['ldap://localhost', false],
  ] as const) {
    const { notes } = await loadConfig(undefined, { ...DC, ufds: { ...RENDERED, url } });
    t.equal(
      notes.some((note) => note.startsWith('ufds.url: ldap:// sends')),
      isNoted,
      url,
    );
  }
  const said = await loadConfig(undefined, { ...DC, ufds: { ...RENDERED, insecure: true } });
  t.strictSame(said.notes, [], 'nor is what was said on purpose');
});

test('a bad value is named, and a password is not shown', async (t) => {
  t.strictSame(
    await problemsOf({}),
    ['ufds.url: missing', 'ufds.bindDN: missing', 'ufds.bindPassword: missing'].map(String),
  );
  t.match(await problemsOf({ ...RENDERED, url: 'http://ufds' }), [
    /^ufds\.url: "http:\/\/ufds" is not right; it must be an ldaps:/,
  ]);
  const [problem = ''] = await problemsOf({ ...RENDERED, bindPassword: 1234567 });
  t.equal(problem, 'ufds.bindPassword: it must be a string that is not empty');
  t.match(await problemsOf({ ...RENDERED, bindPassword: '' }), [/^ufds\.bindPassword/], 'it would bind as nobody');
});

test('CloudAPI takes the same section, or a file', async (t) => {
  const rest = { datacenterName: 'us-1', imgapi: { url: 'http://10.0.0.1' } };
  const { config, notes } = checkCloudapiConfig({ ...rest, ufds: RENDERED });
  t.match(config.accountsSource, { ufds: { ...RENDERED, maxConnections: 3 } });
  t.equal(notes.length, 1);
  const both = checkCloudapiConfig({ ...rest, ufds: RENDERED, accounts: { file: '/a.json' } });
  t.strictSame(both.config.accountsSource, { file: '/a.json' });
  t.throws(() => checkCloudapiConfig(rest), /accounts\.file: missing, and so is ufds; one of the two is needed/);
});
