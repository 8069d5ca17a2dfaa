/** Documents move to Debian's PostgreSQL and back, directly and through PgBouncer. */
import { test } from 'tap';
import { postgresKinds } from '../../engines/postgres/postgres-for.ts';
import { moveBackAndForth } from '../../src/migrations/fixture.ts';

for (const kind of [postgresKinds.debian, postgresKinds.pooled]) {
  test(`documents move from SQLite to ${kind.name} and back under load`, { skip: kind.absent?.() ?? false }, (t) =>
    moveBackAndForth(t, kind),
  );
}
