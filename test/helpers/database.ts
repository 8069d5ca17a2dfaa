/**
 * The database of a server that a test starts. With TEST_DATABASE=postgres in the environment it is PostgreSQL where
 * the test names none; servers with one data folder share a database.
 */
import type { Test } from 'tap';
import { type PostgresPlace, postgresFor } from '../engines/postgres/postgres-for.ts';

type Keys = Readonly<Record<string, unknown>>;

const places = new Map<string, Promise<PostgresPlace>>();

export async function databaseKeys(t: Test, dataDir: string, keys: Keys): Promise<Keys> {
  if (process.env['TEST_DATABASE'] !== 'postgres' || keys['databaseType'] !== undefined) return keys;
  const place = places.get(dataDir) ?? postgresFor(t);
  places.set(dataDir, place);
  return { ...keys, ...(await place).keys };
}
