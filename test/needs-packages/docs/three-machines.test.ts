/** docs/three-machines.md with Debian's PostgreSQL, Ceph's S3 and nginx; its other example with PgBouncer and slapd. */

import { readFileSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tap, { type Test, test } from 'tap';
import { runDocument } from '../../docs/runner/run-document.ts';
import { type DocumentServer, documentServer } from '../../docs/runner/servers.ts';
import { Shell, treeOfLinks } from '../../docs/runner/shells.ts';
import { startNginx } from '../../engines/nginx.ts';
import { fromDebian } from '../../engines/postgres/installation.ts';
import { pgBouncerAbsent, startPgBouncer } from '../../engines/postgres/pgbouncer.ts';
import {
  asNobody,
  type PostgresServer,
  SUPERUSER,
  serverFolder,
  startPostgres,
} from '../../engines/postgres/server.ts';
import { radosgwAbsent, startRadosgw } from '../../engines/radosgw.ts';
import { SLAPD_BIND, slapdAbsent, startSlapd } from '../../engines/slapd.ts';
import { type Places, startFile, withPlaces } from '../../etc/start-file.ts';
import { ADMIN, PEOPLE, writeAccounts } from '../../helpers/accounts.ts';
import { freePort } from '../../helpers/free-port.ts';
import { askHealth } from '../../helpers/health.ts';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { selfSigned } from '../../helpers/ufds.ts';
import { entriesOf } from '../../helpers/ufds-entries.ts';
import { waitFor } from '../../helpers/wait.ts';
import { missing } from '../installed.ts';

const skip =
  fromDebian.absent?.() ?? radosgwAbsent() ?? pgBouncerAbsent() ?? slapdAbsent() ?? (missing('nginx') || false);
const NAMES = ['imgapi1', 'imgapi2', 'imgapi3'];
const PASSWORD = 'db-secret';

const started = skip === false ? await startStores() : undefined;

/** PostgreSQL with a certificate, and a bucket. */
async function startStores() {
  const { certificate, key } = selfSigned('db.us-sw-1.example.com');
  const folder = await serverFolder('certificate');
  const [certificateFile, keyFile] = [join(folder, 'db-ca.pem'), join(folder, 'key.pem')];
  for (const [file, text] of [
    [certificateFile, certificate],
    [keyFile, key],
  ] as const) {
    await writeFile(file, text, { mode: 0o600 });
    const { uid, gid } = asNobody();
    if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
  }
  const postgres = await startPostgres(fromDebian, {
    ssl: 'on',
    ssl_cert_file: certificateFile,
    ssl_key_file: keyFile,
  });
  tap.teardown(() => postgres.remove());
  const radosgw = await startRadosgw();
  tap.teardown(() => radosgw.close());
  return { postgres, radosgw, certificateFile };
}

/** What all machines have in common, but for the database. */
function bucketPlaces({ settings }: NonNullable<typeof started>['radosgw'], prefix: string): Places {
  const { accessKeyId, secretAccessKey } = settings.credentials as Record<'accessKeyId' | 'secretAccessKey', string>;
  return {
    'https://objects.us-sw-1.example.com': settings.endpoint,
    '"bucket": "images"': `"bucket": "${settings.bucket}", "prefix": "${prefix}/us-sw-1"`,
    AKIAEXAMPLE: accessKeyId,
    's3-secret': secretAccessKey,
  };
}

interface Machine {
  readonly dataDir: string;
  readonly config: string;
  readonly port: number;
  readonly linksPort: number;
  readonly server: DocumentServer;
}

async function machine(t: Test, tree: string, shared: Places): Promise<Machine> {
  const folder = await temporaryFolder(t);
  const [port, linksPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, 'imgapi.config.json');
  const dataDir = join(folder, 'data');
  const places = {
    ...shared,
    '/var/lib/imgapi': dataDir,
    '"port": 8080': `"port": ${port}`,
    '"port": 8081': `"port": ${linksPort}`,
    '"port": 8881': `"port": ${metricsPort}`,
  };
  await writeFile(config, withPlaces(readFileSync('etc/examples/three-machines.json', 'utf8'), places));
  return { dataDir, config, port, linksPort, server: documentServer(t, `node-24 src/main.ts -f ${config}`, tree) };
}

test('every line of the page on three machines does what it says', { skip }, async (t) => {
  if (!started) return;
  const { postgres, radosgw, certificateFile } = started;
  const tree = await treeOfLinks(t);
  const shared = {
    '"host": "db.us-sw-1.example.com"': `"host": "127.0.0.1", "port": ${postgres.port}, "serverName": "db.us-sw-1.example.com"`,
    '/etc/imgapi/db-ca.pem': certificateFile,
    '/etc/imgapi/accounts.json': await writeAccounts(await temporaryFolder(t)),
    ...bucketPlaces(radosgw, 'three'),
  };
  const machines: Record<string, Machine> = {};
  for (const name of NAMES) machines[name] = await machine(t, tree, shared);
  const of = (name: string): Machine => {
    const found = machines[name];
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const [front, frontLinks] = [await freePort(), await freePort()];
  const nginx = withPlaces(readFileSync('etc/nginx/imgapi.conf', 'utf8'), {
    ...Object.fromEntries(
      NAMES.flatMap((name, at) => [
        [`10.99.1.2${at + 1}:8080`, `127.0.0.1:${of(name).port}`],
        [`10.99.1.2${at + 1}:8081`, `127.0.0.1:${of(name).linksPort}`],
      ]),
    ),
    '10.99.1.20:80;': `127.0.0.1:${front};`,
    '10.99.1.20:8081': `127.0.0.1:${frontLinks}`,
  });
  const scratch = await temporaryFolder(t);
  const path = `${tree}/src/cli/bin:${process.env['PATH']}`;
  const shells = Object.fromEntries(
    NAMES.map((name) => {
      const env = { IMGAPI_URL: `http://127.0.0.1:${of(name).port}`, IMGAPI_DATA_DIR: of(name).dataDir, PATH: path };
      return [name, new Shell(tree, join(scratch, name), env)];
    }),
  );
  const readers = new Shell(tree, scratch, { PATH: path });
  await runDocument(t, {
    file: 'docs/three-machines.md',
    shells: { ...shells, '': readers, balancer: readers },
    notRun: ['it needs root on a machine that systemd runs'],
    values: {
      ADMIN_URL: `postgres://${SUPERUSER}@127.0.0.1:${postgres.port}`,
      OWNER_URL: `postgres://imgapi:${PASSWORD}@127.0.0.1:${postgres.port}/imgapi`,
      PASSWORD,
      ADMIN_UUID: ADMIN,
      '/etc/imgapi/imgapi.config.json': of('imgapi1').config,
      '/opt/imgapi': tree,
      ...Object.fromEntries(
        NAMES.map((name, at) => [`http://10.99.1.2${at + 1}:8080`, `http://127.0.0.1:${of(name).port}`]),
      ),
      'http://10.99.1.20': `http://127.0.0.1:${front}`,
    },
    instead: {
      'systemctl enable --now imgapi': (_, name) => of(name).server.start(),
      'nginx -t': async () => {
        await startNginx(t, nginx);
        const isUp = () => askHealth(`http://127.0.0.1:${front}/healthz`).catch(() => undefined);
        await waitFor('nginx', isUp);
      },
      'systemctl reload nginx': async () => {},
      'systemctl restart imgapi': async (_, name) => {
        await of(name).server.stop();
        await of(name).server.start();
      },
      'systemctl stop imgapi': (_, name) => of(name).server.stop(),
      'systemctl start imgapi': (_, name) => of(name).server.start(),
    },
    after: {
      'imgapiadm list name=first': ({ stdout }) => void t.match(stdout, /first +1\.0\.0 /),
      'imgapiadm verify --repair': ({ stdout }) => void t.match(stdout, /1 file/),
    },
  });
  t.equal((await radosgw.keys('three/us-sw-1/images/')).length, 1);
  for (const name of NAMES) await of(name).server.stop();
});

test('the example with OpenLDAP starts behind PgBouncer', { skip }, async (t) => {
  if (!started) return;
  const { postgres, radosgw } = started;
  await addDatabase(postgres, 'behind');
  const bouncer = await startPgBouncer(postgres.port);
  t.teardown(() => bouncer.remove());
  const slapd = await startSlapd(t, entriesOf(PEOPLE));
  const folder = await temporaryFolder(t);
  const server = await startFile(t, 'etc/examples/three-machines-openldap.json', {
    folder,
    places: {
      '"port": 6432': `"port": ${bouncer.port}`,
      '"user": "imgapi"': '"user": "behind"',
      '"database": "imgapi"': '"database": "behind"',
      ...bucketPlaces(radosgw, 'behind'),
      'ldaps://ldap.us-sw-1.example.com': slapd.url,
      'ldap-secret': SLAPD_BIND.bindPassword,
      ',\n    "caFile": "/etc/imgapi/ldap-ca.pem"': '',
      '/var/lib/imgapi': join(folder, 'data'),
      '"port": 8080': `"port": ${await freePort()}`,
      '"port": 8081': `"port": ${await freePort()}`,
      '"port": 8881': `"port": ${await freePort()}`,
    },
  });
  const { status, json } = await askHealth(`${server.clientUrl}/healthz`);
  t.match({ status, json }, { status: 200, json: { checks: { directory: { ok: true }, objects: { ok: true } } } });
  await server.stop();
});

async function addDatabase(postgres: PostgresServer, name: string): Promise<void> {
  await postgres.query(`create role ${name} login`);
  await postgres.query(`create database ${name} owner ${name}`);
}
