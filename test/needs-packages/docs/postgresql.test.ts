/** docs/engines/postgresql.md and the file that it names, with Debian's PostgreSQL. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { runDocument } from '../../docs/runner/run-document.ts';
import { documentServer } from '../../docs/runner/servers.ts';
import { Shell, treeOfLinks } from '../../docs/runner/shells.ts';
import { fromDebian } from '../../engines/postgres/installation.ts';
import { SUPERUSER, startPostgres } from '../../engines/postgres/server.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { freePort } from '../../helpers/free-port.ts';
import { askHealth } from '../../helpers/health.ts';
import { makeImage } from '../../helpers/images.ts';
import { configKeys, startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';

const PASSWORD = 'a%20secret';

test('every line of the page on PostgreSQL does what it says', { skip: fromDebian.absent?.() ?? false }, async (t) => {
  const server = await startPostgres(fromDebian);
  t.teardown(() => server.remove());
  const place = { host: '127.0.0.1', port: server.port };
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const dataDir = join(scratch, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(scratch, 'config.json');
  const own = { databaseType: 'postgres', postgres: { ...place, password: PASSWORD } };
  writeFileSync(config, JSON.stringify(await configKeys(dataDir, { ...own, port })));
  const client = new ImgapiClient({ url });
  t.teardown(() => client.destroy());
  const imgapi = documentServer(t, `node-24 src/main.ts -f ${config}`, tree);
  let image = '';
  await runDocument(t, {
    file: 'docs/engines/postgresql.md',
    shells: {
      '': new Shell(tree, scratch, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: {
      CONFIG: config,
      ADMIN_URL: `postgres://${SUPERUSER}@127.0.0.1:${server.port}`,
      OWNER_URL: `postgres://imgapi:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/imgapi`,
      PASSWORD,
      'http://10.99.99.21': url,
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': async () => {
        await imgapi.start();
        image = (await makeImage(client, {}, { owner: ALICE })).image.uuid;
      },
    },
    before: {
      'psql OWNER_URL -c "drop schema imgapi cascade"': () => imgapi.stop(),
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { store: { ok: true } } });
      },
      'psql ADMIN_URL/imgapi -c "select pid, state, wait_event_type, now() - xact_start as since from pg_stat_activity where application_name = \'imgapi\'"':
        ({ stdout }) => {
          t.match(stdout, /\d+ \| idle/);
        },
    },
  });
  await imgapi.start();
  t.equal((await client.getImage(image)).uuid, image, 'what was restored is served');
});

test('the example starts as it is, but for its places', { skip: fromDebian.absent?.() ?? false }, async (t) => {
  const server = await startPostgres(fromDebian);
  t.teardown(() => server.remove());
  await server.query('create role imgapi login');
  await server.query('create database imgapi owner imgapi');
  const example = JSON.parse(readFileSync('etc/examples/postgresql.json', 'utf8'));
  const { postgres, ...rest } = example;
  t.strictSame((await loadConfig('etc/examples/postgresql.json', {}, { strict: true })).notes, []);
  const { url } = await startInProcess(t, {
    ...rest,
    dataDir: await temporaryFolder(t),
    address: '127.0.0.1',
    port: 0,
    postgres: { ...postgres, host: server.socketFolder, port: server.port },
  });
  t.match(await askHealth(`${url}/healthz`), { status: 200, json: { checks: { store: { ok: true } } } });
});
