/** The section `postgres` of a configuration. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { ConfigError } from '#src/service/config/config-error.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { postgresOptionsOf } from '#src/service/config/postgres.ts';
import { selfSigned } from '../../../helpers/ufds.ts';

const load = (postgres: object, databaseType = 'postgres') =>
  loadConfig(undefined, { mode: 'private', databaseType, postgres });

const options = async (postgres: object) => postgresOptionsOf((await load(postgres)).config);

async function problemsOf(postgres: object): Promise<readonly string[]> {
  const error = await load(postgres).catch((thrown: unknown) => thrown);
  return error instanceof ConfigError ? error.problems : [];
}

test('an empty section means a server on this machine', async (t) => {
  const { host, port, user, database, schema, tls, password } = await options({});
  t.strictSame(
    { host, port, user, database, schema },
    {
      host: 'localhost',
      port: 5432,
      user: 'imgapi',
      database: 'imgapi',
      schema: 'imgapi',
    },
  );
  t.equal(tls, undefined);
  t.equal(password, undefined);
});

test('a URL says the same as its parts', async (t) => {
  const url = 'postgres://us%20er:p%40ss@[2001:db8::1]:5433/images';
  t.match(await options({ url }), {
    host: '2001:db8::1',
    port: 5433,
    user: 'us er',
    password: 'p@ss',
    database: 'images',
  });
  t.match(await options({ url: 'postgresql://db.example.com' }), {
    host: 'db.example.com',
    port: 5432,
    user: 'imgapi',
  });
  t.strictSame(await problemsOf({ url, user: 'imgapi', port: 1 }), [
    'postgres.port: postgres.url is given, which has it too; leave one of them out',
    'postgres.user: postgres.url is given, which has it too; leave one of them out',
  ]);
});

test('a wrong value is told by its key, and a secret is not told', async (t) => {
  const [problem = ''] = await problemsOf({ url: 'mysql://root:hunter2@db' });
  t.match(problem, /^postgres\.url: /);
  t.notMatch(problem, /hunter2/);
  t.match(await problemsOf({ schema: 'Bad Name' }), [/^postgres\.schema: "Bad Name" is not right/]);
  t.match(await problemsOf({ caFile: '/ca.pem' }), [/^postgres\.tls: .* true where there is a postgres\.caFile/]);
});

test('TLS verifies by the CA that is named', async (t) => {
  const caFile = join(t.testdir(), 'ca.pem');
  await t.rejects(options({ tls: true, caFile }), {
    name: 'ConfigError',
    message: /postgres\.caFile: .* cannot be read/,
  });
  const { certificate: ca } = selfSigned('db');
  await writeFile(caFile, ca);
  t.strictSame((await options({ tls: true, caFile, serverName: 'db' })).tls, { ca, serverName: 'db' });
  t.strictSame((await options({ tls: true })).tls, {});
});

test('the log says what passes the network in the clear, and what is not used', async (t) => {
  t.match((await load({ host: 'db.example.com', password: 'x' })).notes, [
    /proof of the password, pass the network in the clear/,
  ]);
  t.strictSame((await load({ host: 'db.example.com', tls: true })).notes, []);
  t.strictSame((await load({ host: '/run/postgresql' })).notes, []);
  t.strictSame((await load({}, 'local')).notes, ['postgres: not used; databaseType does not name it']);
});
