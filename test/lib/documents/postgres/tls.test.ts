/** Encrypted connections: the certificate is verified, by whom and for which name the options say. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import { fromNpm } from '../../../engines/postgres/installation.ts';
import { asNobody, SUPERUSER, serverFolder, startPostgres } from '../../../engines/postgres/server.ts';
import { COUNTERS, openStore, put } from './fixture.ts';

const NAME = 'db.example.com';
const UNAVAILABLE = { name: 'StoreUnavailableError' };

test('connections are encrypted, and only to the server that was meant', async (t) => {
  const folder = await serverFolder('certificate');
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'server.crt')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'];
  const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
  await promisify(execFile)('openssl', [...request, ...subject], asNobody());
  const server = await startPostgres(fromNpm, { ssl: 'on', ssl_key_file: key, ssl_cert_file: cert });
  t.teardown(() => server.remove());
  const options = {
    ...{ host: '127.0.0.1', port: server.port, user: SUPERUSER, database: 'postgres', schema: 'tls' },
    ...{ poolSize: 2, connectMs: 2000, statementMs: 5000, patienceMs: 100, preparedStatements: true },
  };
  const ca = await readFile(cert, 'utf8');
  const store = await openStore(t, { ...options, tls: { ca, serverName: NAME } });
  await put(store, 'a', 1);
  t.equal((await store.get(COUNTERS, 'a'))?.value.count, 1);
  const encrypted = await server.query(
    "select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'imgapi'",
  );
  t.ok(encrypted.length > 0 && encrypted.every(({ ssl }) => ssl === true));
  await t.rejects(openStore(t, { ...options, tls: { ca } }), { ...UNAVAILABLE, message: /does not match/ });
  await t.rejects(openStore(t, { ...options, tls: { serverName: NAME } }), { ...UNAVAILABLE, message: /self-signed/ });
});
