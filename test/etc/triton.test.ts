/** etc/triton: what SAPI's template renders is a configuration, its refresh is taken without a failed request, the zone is set up. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import hogan from 'hogan.js';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { loadConfig } from '#src/service/config/load.ts';
import { documentServer } from '../docs/runner/servers.ts';
import { mantaFor } from '../engines/manta.ts';
import { freePort } from '../helpers/free-port.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { waitFor } from '../helpers/wait.ts';
import { LOCALS, zoneFor } from './rendered/zone.ts';
import { type Places, withPlaces } from './start-file.ts';

const HERE = 'etc/triton';
const ROOT = new URL('../..', import.meta.url).pathname;
const TEMPLATE = readFileSync(join(HERE, 'sapi_manifests/imgapi/template'), 'utf8');
const MANIFEST = JSON.parse(readFileSync(join(HERE, 'sapi_manifests/imgapi/manifest.json'), 'utf8'));

/** As SAPI has it in each datacenter, and what config-agent adds. */
const METADATA = {
  datacenter_name: 'us-sw-1',
  ufds_admin_uuid: '930896af-bf8c-48d4-885c-6573a94b1853',
  ufds_admin_login: 'admin',
  SAPI_SERVICE: 'sapi.us-sw-1.cloud.example.com',
  ufds_ldap_root_dn: 'cn=root',
  ufds_ldap_root_pw: 'secret',
  MORAY_SERVICE: 'moray.us-sw-1.cloud.example.com',
  UFDS_SERVICE: 'ufds.us-sw-1.cloud.example.com',
  VMAPI_SERVICE: 'vmapi.us-sw-1.cloud.example.com',
  CNAPI_SERVICE: 'cnapi.us-sw-1.cloud.example.com',
  auto: {
    ZONENAME: '0d6ea1a4-2b0d-4b7d-a0a6-4a3f1f5a9f6e',
    SERVER_UUID: '564d9386-8c67-b674-587f-101f1db2eda7',
    ADMIN_IP: '10.99.99.21',
  },
};
const MANTA = {
  IMGAPI_MANTA_URL: 'https://manta.us-sw.cloud.example.com',
  IMGAPI_MANTA_INSECURE: false,
  IMGAPI_PRIVATE_KEY: 'the key',
  IMGAPI_KEY_ID: 'SHA256:FvA0sM4vC2Y3m1cYb9nV7Uo1jQ0k8B1Cw2c5d6e7f8g',
};

/** By the library that config-agent has. */
const render = (metadata: object): string => hogan.compile(TEMPLATE).render({ ...METADATA, ...metadata });

async function loaded(t: Test, metadata: object) {
  const file = join(t.testdir(), 'config.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, render(metadata));
  return loadConfig(file, {}, { strict: true });
}

test('what the template renders is a configuration, whatever is set', async (t) => {
  const { config, notes } = await loaded(t, {});
  t.match(config, {
    mode: 'dc',
    port: 80,
    workers: 1,
    storageTypes: ['local'],
    databaseType: 'moray',
    logLevel: 'info',
  });
  t.match(config.metrics, { address: '10.99.99.21', port: 8881 });
  t.strictSame(
    notes.filter((note) => /not used/.test(note)),
    [],
    'nothing in it is without effect',
  );

  const full = await loaded(t, {
    ...MANTA,
    ...{
      IMGAPI_MANTA_INSECURE: true,
      IMGAPI_MANTA_USER: 'joe',
      IMGAPI_MANTA_BASEDIR: 'images',
      IMGAPI_WORKERS: 4,
      IMGAPI_LOG_LEVEL: 'debug',
    },
    ...{
      IMGAPI_LINKS_PORT: 8443,
      IMGAPI_LINKS_URL: 'http://203.0.113.5:8443',
      IMGAPI_ALLOW_LOCAL_CREATE_IMAGE_FROM_VM: true,
    },
    IMGAPI_URL_FROM_DATACENTER: '{"us-east-1": "http://10.88.88.21"}',
    IMGAPI_ALLOW_INSECURE: true,
  });
  t.match(full.config, {
    ...{ workers: 4, logLevel: 'debug', storageTypes: ['manta', 'local'], allowInsecure: true },
    manta: { user: 'joe', baseDir: 'images', insecure: true, key: '/data/imgapi/etc/manta.id_rsa' },
    links: { port: 8443, publicUrl: 'http://203.0.113.5:8443' },
    imgapiUrlFromDatacenter: { 'us-east-1': 'http://10.88.88.21' },
  });
  const alone = await loaded(t, { ...MANTA, IMGAPI_NO_LOCAL_STORAGE: true });
  t.match(alone.config, { storageTypes: ['manta'], manta: { user: 'admin', baseDir: 'imgapi' } });
  t.notOk(alone.config.manta?.insecure);
  const key = JSON.parse(readFileSync(join(HERE, 'sapi_manifests/imgapi_private_key/manifest.json'), 'utf8'));
  t.equal(key.path, alone.config.manta?.key, 'the key is where the configuration says');
  t.match(key.post_cmd, `chown nobody:nobody ${key.path}`);
});

test('metadata are texts, as sapiadm sets them, and an empty one is none', async (t) => {
  const flags = ['IMGAPI_ALLOW_INSECURE', 'IMGAPI_ALLOW_LOCAL_CREATE_IMAGE_FROM_VM', 'IMGAPI_MANTA_INSECURE'];
  const all = (value: unknown) => Object.fromEntries(flags.map((flag) => [flag, value]));
  for (const value of ['', 'false', false, undefined, null]) {
    const { config } = await loaded(t, { ...MANTA, ...all(value) });
    const { allowInsecure, allowLocalCreateImageFromVm, manta } = config;
    t.strictSame(
      [allowInsecure, allowLocalCreateImageFromVm, manta?.insecure ?? false],
      [false, false, false],
      `${value}`,
    );
  }
  for (const value of ['true', true]) {
    const { config } = await loaded(t, { ...MANTA, ...all(value) });
    const { allowInsecure, allowLocalCreateImageFromVm, manta } = config;
    t.strictSame([allowInsecure, allowLocalCreateImageFromVm, manta?.insecure], [true, true, true], `${value}`);
  }
  await t.rejects(loaded(t, { IMGAPI_ALLOW_INSECURE: 'yes' }), /allowInsecure: "yes" is not right/);

  const texts = await loaded(t, { IMGAPI_WORKERS: '3', IMGAPI_LINKS_PORT: '8443', IMGAPI_LOG_LEVEL: 'warn' });
  t.match(texts.config, { workers: 3, links: { port: 8443 }, logLevel: 'warn' });
  const empty = await loaded(t, {
    IMGAPI_WORKERS: '',
    IMGAPI_LINKS_PORT: '',
    IMGAPI_LOG_LEVEL: '',
    IMGAPI_LINKS_URL: '',
  });
  t.strictSame([empty.config.links.port, empty.config.logLevel], [undefined, 'info']);
});

test('a refresh that config-agent asks for is taken, and no request fails meanwhile', async (t) => {
  t.equal(MANIFEST.post_cmd, '/usr/sbin/svcadm refresh imgapi');
  const smf = readFileSync('smf/manifests/imgapi.xml', 'utf8');
  t.match(smf, /<exec_method type="method" name="refresh" timeout_seconds="\d+" exec=":kill -HUP"\/>/);
  t.match(smf, `-f ${MANIFEST.path} `, 'the service reads what config-agent writes');

  const { dataDir, places } = await zoneFor(t);
  const { keys } = await mantaFor(t);
  const { url: mantaUrl, key, keyId } = keys.manta as Record<'url' | 'key' | 'keyId', string>;
  const port = await freePort();
  const own: Places = {
    '"port": 80,': `"port": ${port}, "metrics": { "port": 0 },`,
    '"dataDir": "/data/imgapi"': `"dataDir": "${dataDir}"`,
    'ldaps://ufds.us-sw-1.cloud.example.com': places['ldaps://ufds.us-sw-1.cloud.example.com'] ?? '',
    'moray.us-sw-1.cloud.example.com': '127.0.0.1',
    '"port": 2020': `"port": ${places['2020']}`,
  };
  const config = join(dataDir, 'etc', 'imgapi.config.json');
  writeFileSync(config, withPlaces(render({}), own));
  const server = documentServer(t, `exec node-24 src/main.ts -f ${config}`, ROOT);
  await server.start();
  const url = `http://127.0.0.1:${port}`;
  const storesOf = async () => {
    const { body, statusCode } = await request(`${url}/state`);
    return { statusCode, ...((await body.json()) as { storageTypes?: string[] }) };
  };
  t.match(await storesOf(), { storageTypes: ['local'] });
  const failed: unknown[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      await request(`${url}/images/${LOCALS}`, { reset: true }).then(
        async ({ statusCode, body }) => {
          await body.dump();
          if (statusCode !== 200) failed.push(statusCode);
        },
        (error: unknown) => failed.push(error),
      );
    }
  })();
  // What imgapi-manta-setup writes to SAPI, and config-agent renders.
  const manta = { ...MANTA, IMGAPI_MANTA_URL: mantaUrl, IMGAPI_KEY_ID: keyId };
  writeFileSync(config, withPlaces(render(manta), { ...own, '/data/imgapi/etc/manta.id_rsa': key }));
  process.kill(server.pid, 'SIGHUP');
  await waitFor('the new configuration', async () => (await storesOf()).storageTypes?.includes('manta'));
  isOver = true;
  await asking;
  t.strictSame(failed, [], 'no request failed');
  writeFileSync(config, '{');
  process.kill(server.pid, 'SIGHUP');
  await waitFor('the refusal', () => server.log.includes('the workers are not replaced'));
  t.match(await storesOf(), { statusCode: 200 }, 'and what is wrong changes nothing');
  await server.stop();
});

test('the zone is set up once, and the same again does no harm', async (t) => {
  const zone = await temporaryFolder(t, 'imgapi-zone');
  const bin = join(zone, 'bin');
  mkdirSync(bin);
  mkdirSync(join(zone, 'root'));
  mkdirSync(join(zone, 'opt/smartdc/boot/lib'), { recursive: true });
  const log = join(zone, 'log');
  const tell = (name: string) => `${name} () { echo "${name} $*" >>'${log}'; }`;
  const library = ['sdc_log_rotation_add', 'sdc_log_rotation_setup_end', 'sdc_setup_complete'].map(tell);
  // config-agent is set up there, and writes where the manifest says.
  library.push(
    `sdc_common_setup () { echo "agents from $CONFIG_AGENT_LOCAL_MANIFESTS_DIRS" >>'${log}'; : >'${zone}${MANIFEST.path}'; }`,
  );
  writeFileSync(join(zone, 'opt/smartdc/boot/lib/util.sh'), `${library.join('\n')}\n`);
  for (const name of ['zfs', 'chown', 'svccfg']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${log}'\n`);
  }
  writeFileSync(join(bin, 'zonename'), '#!/bin/sh\necho 0d6ea1a4\n');
  for (const name of ['zfs', 'chown', 'svccfg', 'zonename']) chmodSync(join(bin, name), 0o755);
  const script = join(zone, 'setup.sh');
  const text = readFileSync(join(HERE, 'boot/setup.sh'), 'utf8')
    .replace(/^PATH=.*/m, `PATH=${bin}:/usr/bin:/bin`)
    .replaceAll(/(?<=[\s=">])\/(opt\/smartdc|data\/|var\/smartdc|root\/)/g, `${zone}/$1`);
  // It must not touch the machine that runs the test.
  const others = [...text.replaceAll(/^#.*$/gm, '').matchAll(/(?<![\w.$*}/])\/[a-z][\w./-]*/g)].map(([path]) => path);
  const isOwn = (path: string) =>
    path === '/data' || [`${zone}/`, '/usr/bin', '/bin', '/var/svc/log/'].some((one) => path.startsWith(one));
  t.strictSame(
    others.filter((path) => !isOwn(path)),
    [],
  );
  if (!t.passing()) return;
  writeFileSync(script, text);
  for (const round of [1, 2]) {
    writeFileSync(log, '');
    const { status, stderr } = spawnSync('/bin/bash', [script], { encoding: 'utf8' });
    t.strictSame({ status, stderr }, { status: 0, stderr: '' }, `round ${round}`);
    const did = readFileSync(log, 'utf8').trim().split('\n');
    t.match(
      did,
      [
        'zfs set mountpoint=/data zones/0d6ea1a4/data',
        /^chown nobody:nobody \S+\/data\/imgapi \S+\/data\/imgapi\/etc$/,
        /^agents from \S+\/opt\/smartdc\/imgapi$/,
        /^svccfg import \S+\/opt\/smartdc\/imgapi\/smf\/manifests\/imgapi.xml$/,
        ...['config-agent', 'registrar', 'amon-agent', 'imgapi'].map(
          (name) => new RegExp(`^sdc_log_rotation_add ${name} .*\\*${name}\\*.log 1g$`),
        ),
        'sdc_log_rotation_setup_end ',
        'sdc_setup_complete ',
      ].map((one) => (typeof one === 'string' ? one.trimEnd() : one)),
    );
  }
  const profile = readFileSync(join(zone, 'root/.profile'), 'utf8').trim().split('\n');
  t.equal(profile.length, 2, 'what is there is not added again');
  t.ok(existsSync(join(zone, 'var/smartdc/imgapi')));
  for (const path of ['src/cli/bin/imgapiadm', 'smf/manifests/imgapi.xml']) t.ok(existsSync(path), path);
});

test('the page on Triton names all that is set in SAPI, and nothing else', async (t) => {
  const page = readFileSync('docs/triton.md', 'utf8');
  const all = (text: string) =>
    [...new Set([...text.matchAll(/\bIMGAPI_[A-Z_]+\b/g)].map(([name]) => name))].toSorted();
  const key = readFileSync(join(HERE, 'sapi_manifests/imgapi_private_key/template'), 'utf8');
  t.strictSame(all(page), all(TEMPLATE + key));
});
