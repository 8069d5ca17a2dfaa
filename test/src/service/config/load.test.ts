import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { loadCloudapiConfig } from '#src/cloudapi/config.ts';
import { ConfigError } from '#src/service/config/config-error.ts';
import { loadConfig } from '#src/service/config/load.ts';

const ETC = join(import.meta.dirname, '../../../../etc');
const ADMIN = '930896af-bf8c-48d4-885c-6573a94b1853';
const DC = { mode: 'dc', authType: 'none', datacenterName: 'us-sw-1', adminUuid: ADMIN };

async function problemsOf(given: object, options: { strict?: boolean } = {}): Promise<readonly string[]> {
  try {
    await loadConfig(undefined, given as Record<string, unknown>, options);
    return [];
  } catch (err) {
    if (err instanceof ConfigError) return err.problems;
    throw err;
  }
}

test('without a file it is a private server on this machine with its data below build', async (t) => {
  const { config, unknownKeys, notes } = await loadConfig();
  t.match(config, { mode: 'private', authType: 'none', address: '127.0.0.1', port: 8080, databaseType: 'local' });
  t.equal(config.dataDir, join(process.cwd(), 'build/data'));
  t.strictSame([unknownKeys, notes], [[], []]);
});

test('a file is overlaid on the defaults, and overrides on the file', async (t) => {
  const dir = t.testdir({ 'c.json': JSON.stringify({ port: 1234, copies: { concurrency: 7 }, dataDir: '/d' }) });
  const { config } = await loadConfig(join(dir, 'c.json'), { port: 0, copies: { perLink: 3 }, address: undefined });
  t.match(config, { mode: 'public', authType: 'signature', port: 0, address: '127.0.0.1', dataDir: '/d' });
  t.match(config.copies, { concurrency: 7, perLink: 3, leaseSeconds: 30, retryDelay: { min: 1, max: 300 } });
});

test('the resolved configuration cannot be changed', async (t) => {
  const { config } = await loadConfig();
  t.throws(() => Object.assign(config.copies.retryDelay, { min: 0 }), TypeError);
  t.throws(() => Object.assign(config, { port: 1 }), TypeError);
});

test('dc mode starts with a name, an admin and a data directory', async (t) => {
  const { config } = await loadConfig(undefined, { ...DC, dataDir: '/data/x' });
  t.equal(config.accounts.file, '/data/x/accounts.json');
  t.match(config, { datacenterName: 'us-sw-1', adminUuid: ADMIN, links: { port: undefined } });
  t.strictSame(await problemsOf({ mode: 'dc' }), [
    'datacenterName: missing; mode "dc" needs it',
    'adminUuid: missing; mode "dc" needs it',
  ]);
});

test('what depends on the mode follows it unless it is given', async (t) => {
  const dc = await loadConfig(undefined, { ...DC, adminIp: '10.0.0.2' });
  t.strictSame(dc.config.metrics, { address: '10.0.0.2', port: 8881 });
  t.equal(dc.config.sources.allowPrivateAddresses, true);
  const open = await loadConfig(undefined, { mode: 'public', adminIp: '10.0.0.2', metrics: { port: 9 } });
  t.strictSame(open.config.metrics, { address: '127.0.0.1', port: 9 });
  t.equal(open.config.sources.allowPrivateAddresses, false);
  t.equal((await loadConfig()).config.metrics, undefined);
});

test('sections of services that are not used are accepted and noted', async (t) => {
  const unused = { wfapi: {}, httpProxy: 'http://proxy', maxSockets: 50 };
  const { config, unknownKeys, notes } = await loadConfig(undefined, { ...DC, ...unused });
  t.strictSame(unknownKeys, []);
  t.strictSame(
    notes.map((note) => note.split(':')[0]),
    ['wfapi', 'httpProxy', 'maxSockets'],
  );
  for (const key of Object.keys(unused)) t.notOk(key in config, key);
  t.strictSame((await loadConfig(undefined, { ...DC, maxSockets: 100, lxdRegistries: {} })).notes, [], 'the defaults');
});

const MANTA = { url: 'http://127.0.0.1:9', user: 'admin', key: '/k', keyId: Array(16).fill('00').join(':') };

test('a key of today’s template that is empty counts as left out, and a section without its address as none', async (t) => {
  const empty = { httpProxy: '', adminIp: '', instanceUuid: '', serviceName: '', imgapiUrlFromDatacenter: '' };
  const manta = { url: '', user: '', key: '/k', keyId: '', baseDir: 'imgapi' };
  const { config, notes } = await loadConfig(undefined, { ...DC, ...empty, manta, moray: { host: '', port: '' } });
  t.strictSame(config, (await loadConfig(undefined, DC)).config);
  t.strictSame(notes, []);
  t.match(await problemsOf({ ...DC, databaseType: 'moray', moray: { host: '' } }), [/^moray: missing/]);
  t.match(await problemsOf({ ...DC, storageTypes: ['manta'], manta }), [/^manta: missing/]);
  t.match((await loadConfig(undefined, { ...DC, databaseType: 'moray', moray: { host: 'm', port: '' } })).config, {
    moray: { host: 'm', port: 2020 },
  });
  t.match(await problemsOf({ ...DC, datacenterName: '' }), [/^datacenterName: missing/]);
});

test('what is kept in a shared store lies below a folder of its own, not beside it', async (t) => {
  const s3 = { endpoint: 'http://127.0.0.1:9', bucket: 'b', accessKeyId: 'a', secretAccessKey: 's' };
  for (const path of ['..', '.', '../x', 'x/..', 'x/../y', 'x/./y']) {
    t.match(await problemsOf({ ...DC, storageTypes: ['s3'], s3: { ...s3, prefix: path } }), [/^s3\.prefix: /], path);
    t.match(await problemsOf({ ...DC, manta: { ...MANTA, baseDir: path } }), [/^manta\.baseDir: /], path);
  }
  t.strictSame(await problemsOf({ ...DC, storageTypes: ['s3'], s3: { ...s3, prefix: '.x/..y/z..' } }), []);
});

test('levels of the log have names, and the numbers that bunyan gives them', async (t) => {
  t.equal((await loadConfig(undefined, { ...DC, logLevel: 20 })).config.logLevel, 'debug');
  t.equal((await loadConfig(undefined, { ...DC, logLevel: 60 })).config.logLevel, 'fatal');
  t.match(await problemsOf({ ...DC, logLevel: 35 }), [/^logLevel: 35 is not right; it must be one of "trace", /]);
});

test('a database needs its section', async (t) => {
  t.strictSame(await problemsOf({ databaseType: 'postgres' }), ['postgres: missing; databaseType "postgres" needs it']);
});

test('the map of datacenters may name this one, which is left out', async (t) => {
  const imgapiUrlFromDatacenter = { 'us-sw-1': 'http://10.0.0.1', 'eu-ams-1': 'http://10.0.0.2' };
  const { config, notes } = await loadConfig(undefined, { ...DC, imgapiUrlFromDatacenter });
  t.strictSame(config.imgapiUrlFromDatacenter, { 'eu-ams-1': 'http://10.0.0.2' });
  t.strictSame(notes, ['imgapiUrlFromDatacenter.us-sw-1: this datacenter itself; ignored']);
});

test('unknown keys are collected with their path, and refused when strict', async (t) => {
  const given = { modee: 'dc', copies: { concurency: 1, retryDelay: { mni: 1 } }, metrics: { port: 0, x: 1 } };
  const paths = ['modee', 'metrics.x', 'copies.concurency', 'copies.retryDelay.mni'];
  t.same((await loadConfig(undefined, given)).unknownKeys.toSorted(), paths.toSorted());
  t.same((await problemsOf(given, { strict: true })).toSorted(), [
    'copies.concurency: there is no such key; did you mean "copies.concurrency"?',
    'copies.retryDelay.mni: there is no such key; did you mean "copies.retryDelay.min"?',
    'metrics.x: there is no such key',
    'modee: there is no such key; did you mean "mode"?',
  ]);
});

test('each bad value is one line that names the key, the value and what would be right', async (t) => {
  const cases: [object, string][] = [
    [{ port: 65536 }, 'port: 65536 is not right; it must be a whole number from 0 to 65535'],
    [{ port: '80' }, 'port: "80" is not right; it must be a whole number from 0 to 65535'],
    [{ maxSockets: 0 }, 'maxSockets: 0 is not right; it must be a whole number, 1 or more'],
    [{ mode: 'prod' }, 'mode: "prod" is not right; it must be one of "public", "private", "dc"'],
    [{ allowInsecure: 'no' }, 'allowInsecure: "no" is not right; it must be true or false'],
    [
      { adminUuid: ADMIN.toUpperCase() },
      `adminUuid: "${ADMIN.toUpperCase()}" is not right; it must be a UUID in lower case`,
    ],
    [{ publicUrl: 'ftp://x' }, 'publicUrl: "ftp://x" is not right; it must be an http or https URL'],
    [
      { imgapiUrlFromDatacenter: { a: 'x' } },
      'imgapiUrlFromDatacenter.a: "x" is not right; it must be an http or https URL',
    ],
    [
      { links: { allowedPullOrigins: ['https://m/x'] } },
      'links.allowedPullOrigins[0]: "https://m/x" is not right; ' +
        'it must be scheme, host and port alone, such as "https://manta.example.com:8443"',
    ],
    [{ copies: [] }, 'copies: [] is not right; it must be an object, { "key": value, ... }'],
    [
      { copies: { stallSeconds: 0 } },
      'copies.stallSeconds: 0 is not right; it must be a number greater than 0, and at most 3153600000 (seconds of a hundred years)',
    ],
    [
      { copies: { bandwidth: { x: -1 } } },
      'copies.bandwidth.x: -1 is not right; it must be a whole number of bytes per second, 1 or more, a text such as "200 Mb/s", or a list of windows',
    ],
    [
      { pulls: { expirySeconds: 86400 } },
      'pulls.expirySeconds: 86400 is not right; it must be a whole number of seconds, less than a day (86400)',
    ],
    [{ metrics: {} }, 'metrics.port: missing'],
    [{ dataDir: '' }, 'dataDir: "" is not right; it must be a path'],
  ];
  for (const [given, line] of cases) t.strictSame(await problemsOf(given), [line]);
});

test('all problems of a configuration are told at once', async (t) => {
  const problems = await problemsOf({ port: -1, mode: 'x', copies: { concurrency: 0.5 } });
  t.equal(problems.length, 3);
});

test('channels have a name each, at most one default, and are at least one', async (t) => {
  const channel = (name: string, more = {}) => ({ name, description: 'for tests', ...more });
  t.match(await problemsOf({ channels: [] }), [/^channels: \[\] is not right; it must be a list with at least one/]);
  t.match(await problemsOf({ channels: [channel('Dev')] }), [/^channels\[0\]\.name: "Dev" is not right/]);
  t.match(await problemsOf({ channels: [{ name: 'dev' }] }), [/^channels\[0\]\.description: missing/]);
  t.match(await problemsOf({ channels: [channel('a'), channel('a')] }), [/^channels: "a" appears more than once/]);
  t.match(await problemsOf({ channels: [channel('a', { default: true }), channel('b', { default: true })] }), [
    /^channels: a, b are all marked as the default/,
  ]);
  t.strictSame(await problemsOf({ channels: [channel('a', { default: true }), channel('b')] }), []);
});

test('keys that do not go together are refused', async (t) => {
  t.match(await problemsOf({ copies: { heartbeatSeconds: 20 } }), [/^copies\.heartbeatSeconds: 20 .* \(30\)$/]);
  t.match(await problemsOf({ copies: { retryDelay: { min: 5, max: 2 } } }), [/^copies\.retryDelay\.min: 5 .* \(2\)$/]);
  t.match(await problemsOf({ links: { port: 8080 } }), [
    /^links\.port: 8080 is not right; it must be another port than/,
  ]);
  t.strictSame(await problemsOf({ port: 0, links: { port: 0 }, metrics: { port: 0 } }), []);
});

test('a file that cannot be used says why', async (t) => {
  const dir = t.testdir({ 'list.json': '[1]', 'cut.json': '{\n  "port": 80', 'comma.json': '{\n  "port": 80,\n}\n' });
  const message = (name: string) => loadConfig(join(dir, name)).then(String, (err: ConfigError) => err.problems[0]);
  t.equal(await message('absent.json'), 'there is no such file');
  t.equal(await message(''), 'this is a directory, not a file');
  t.match(await message('list.json'), /^the file must hold one JSON object/);
  t.match(await message('cut.json'), /^not valid JSON at line 2 column 13: /);
  t.match(await message('comma.json'), /^not valid JSON at line 3 column 1: /);
  await t.rejects(loadConfig(join(dir, 'absent.json')), {
    message: `${join(dir, 'absent.json')}: there is no such file`,
  });
});

test('every example holds to the schema, with no key that is unknown', async (t) => {
  for (const name of readdirSync(join(ETC, 'examples'))) {
    if (name.startsWith('cloudapi')) {
      t.strictSame((await loadCloudapiConfig(join(ETC, 'examples', name))).unknownKeys, [], name);
      continue;
    }
    const { unknownKeys, notes } = await loadConfig(join(ETC, 'examples', name), {}, { strict: true });
    t.strictSame([unknownKeys, notes], [[], []], name);
  }
});

test('the embedded example is what runs without a file', async (t) => {
  const example = await loadConfig(join(ETC, 'examples/embedded-private.json'));
  t.strictSame(example.config, (await loadConfig()).config);
});

test('etc/defaults.json is a valid configuration with the defaults of the schema', async (t) => {
  const defaults = JSON.parse(readFileSync(join(ETC, 'defaults.json'), 'utf8'));
  const empty = join(t.testdir({ 'c.json': '{}' }), 'c.json');
  t.strictSame((await loadConfig(join(ETC, 'defaults.json'))).config, (await loadConfig(empty)).config);
  const { copies, pulls, limits } = (await loadConfig(empty)).config;
  t.strictSame({ copies, pulls, limits }, { copies: defaults.copies, pulls: defaults.pulls, limits: defaults.limits });
});
