/** The checked-in plans are those of today's code: `make plans` rewrites them, and the review shows what has changed. */
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { postgresFor } from '../../../engines/postgres/postgres-for.ts';
import { postgresPlans } from './postgres.ts';
import { sqlitePlans } from './sqlite.ts';

const kept = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');

test('SQLite answers lists as the file says', async (t) => {
  t.equal(await sqlitePlans(), await kept('sqlite.txt'));
});

test('PostgreSQL answers lists as the file says', async (t) => {
  const { server } = await postgresFor(t);
  t.equal(await postgresPlans(server), await kept('postgres.txt'));
});
