/** PostgreSQL plans by what is stored: so many images, always the same ones, all of which it looks at (ANALYZE). */
import { Client } from 'pg';
import { postgresDialect } from '#lib/documents/postgres/dialect.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { Layout } from '#lib/documents/sql/layout.ts';
import { listParts } from '#lib/documents/sql/queries.ts';
import { Tables } from '#lib/documents/sql/tables.ts';
import { type PostgresServer, SUPERUSER } from '../../../engines/postgres/server.ts';
import { ACCOUNT, BUCKET, QUERIES } from './queries.ts';
import { section } from './section.ts';

/** Of which ANALYZE takes all. */
const ROWS = 20_000;
const SCHEMA = 'plans';

export async function postgresPlans(server: PostgresServer, rows = ROWS): Promise<string> {
  await fill(server, rows);
  const dialect = postgresDialect(SCHEMA);
  const tables = new Tables(new Layout(BUCKET, dialect.identifier), dialect);
  const client = new Client({ host: '127.0.0.1', port: server.port, user: SUPERUSER, database: 'postgres' });
  await client.connect();
  try {
    const sections: string[] = [];
    for (const [name, query] of QUERIES) {
      const parts = listParts(tables, query);
      const plans: string[] = [];
      for (const { sql, values } of parts) {
        const explained = await client.query(`explain (format json) ${sql}`, [...values]);
        plans.push(...shapeOf(explained.rows[0]['QUERY PLAN'][0].Plan));
      }
      sections.push(
        section(
          name,
          parts.map(({ sql }) => sql),
          plans,
        ),
      );
    }
    return sections.join('\n').replaceAll(`"${SCHEMA}".`, '');
  } finally {
    await client.end();
  }
}

/** The images of a thousand owners; one in twenty is public, one in ten is shared with the account that asks, one in 500 is deprecated. */
async function fill(server: PostgresServer, rows: number): Promise<void> {
  const { port } = server;
  const store = await openPostgresStore({
    ...{ host: '127.0.0.1', port, user: SUPERUSER, database: 'postgres', schema: SCHEMA },
    ...{ poolSize: 1, connectMs: 5000, statementMs: 60_000, patienceMs: 5000, preparedStatements: false },
  });
  try {
    await store.open([BUCKET]);
  } finally {
    await store.close();
  }
  const table = (of = '') => `${SCHEMA}."${BUCKET.name}$${BUCKET.version}${of}"`;
  const account = (number: string) => `'a820621a-5007-4a2a-9636-' || lpad((${number})::text, 12, '0')`;
  await server.query(`
    create temporary table g as
      select id, md5(id::text)::uuid::text as key, ${account('id % 1000')} as owner, 'name' || (id % 5000) as name,
        id % 20 = 0 as public, id % 10 <> 0 as activated, id % 50 = 0 as disabled,
        to_char(timestamp '2020-01-01' + (id::bigint * 7919 % 1000003) * interval '1 minute',
          'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as published
      from generate_series(1, ${rows}) as id;
    insert into ${table()} (id, key, etag, mtime, i_uuid, i_name, i_version, i_owner, i_state, i_activated, i_disabled,
        i_public, i_os, i_type, i_published_at, i_deprecated_at, i_acl, i_tags)
      overriding system value
      select id, key, 'etag' || id, 0, key, name, '1.0.' || id, owner,
        case when activated then 'active' else 'unactivated' end, activated, disabled, public, 'linux', 'zvol',
        published, case when id % 500 = 3 then published end, case when id % 10 in (1, 3) then 1 end, 1 from g;
    insert into ${table('$acl')} select '${ACCOUNT}', id, key, published from g where id % 10 = 1;
    insert into ${table('$acl')} select ${account('id % 300')}, id, key, published from g where id % 10 = 3;
    insert into ${table('$grants')} select '${ACCOUNT}', id, key, published from g where id % 100 = 2;
    insert into ${table('$tags')} select 'role=' || (id % 100), id, key, published from g;
    analyze ${table()}, ${table('$acl')}, ${table('$grants')}, ${table('$tags')}, ${table('$channels')};
  `);
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Scan Direction'?: string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** A line for each step, below the one that asks for it. */
function shapeOf(node: PlanNode): string[] {
  const { 'Node Type': type, 'Scan Direction': direction, 'Index Name': index, 'Relation Name': relation } = node;
  const line = [
    type,
    ...(direction === 'Backward' ? ['backward'] : []),
    ...(index !== undefined ? [`using ${index}`] : []),
    ...(relation !== undefined && index === undefined ? [`on ${relation}`] : []),
  ].join(' ');
  return [line, ...(node.Plans ?? []).flatMap(shapeOf).map((step) => `  ${step}`)];
}
