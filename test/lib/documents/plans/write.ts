/**
 * The SQL of the list queries, and the shape of the plan that each database has for it: what its steps are and which
 * indexes they use. The files beside this one hold both, so that a review sees what a change does to them.
 *
 *   node test/lib/documents/plans/write.ts          (or `make plans`) writes the files
 */
import { writeFile } from 'node:fs/promises';
import { fromNpm } from '../../../engines/postgres/installation.ts';
import { startPostgres } from '../../../engines/postgres/server.ts';
import { postgresPlans } from './postgres.ts';
import { sqlitePlans } from './sqlite.ts';

async function write(): Promise<void> {
  await writeFile(new URL('sqlite.txt', import.meta.url), await sqlitePlans());
  const server = await startPostgres(fromNpm);
  try {
    await writeFile(new URL('postgres.txt', import.meta.url), await postgresPlans(server));
  } finally {
    await server.remove();
  }
}

await write();
