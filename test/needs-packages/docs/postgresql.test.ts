/** docs/engines/postgresql.md and the file that it names, with Debian's PostgreSQL. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { loadConfig } from '#src/service/config/load.ts';
import { runDocument } from '../../docs/runner/run-document.ts';
import { documentServer } from '../../docs/runner/servers.ts';
import { workplaceFor } from '../../docs/runner/workplace.ts';
import { fromDebian } from '../../engines/postgres/installation.ts';
import { SUPERUSER, startPostgres } from '../../engines/postgres/server.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { askHealth } from '../../helpers/health.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';

const PASSWORD = 'a%20secret';

test('every line of the page on PostgreSQL does what it says', { skip: fromDebian.absent?.() ?? false }, async (t) => {
  const server = await startPostgres(fromDebian);
  t.teardown(() => server.remove());
  const place = { host: '127.0.0.1', port: server.port };
  const { tree, config, url, client, shell, configure } = await workplaceFor(t);
  await configure({ databaseType: 'postgres', postgres: { ...place, password: PASSWORD } });
  const imgapi = documentServer(t, `node-24 src/main.ts -f ${config}`, tree);
  let image = '';
  await runDocument(t, {
    file: 'docs/engines/postgresql.md',
    shells: { '': shell() },
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
