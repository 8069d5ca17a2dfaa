/** The differences from today's IMGAPI that are meant, and what is as it was: each row of both tables, sent to a server. */
import { existsSync } from 'node:fs';
import { test } from 'tap';
import { BEHAVIOURS } from './beyond-requests.ts';
import { DIFFERENCES } from './differences.ts';
import { EQUAL } from './equal.ts';
import { compare, send } from './send.ts';
import { servers } from './servers.ts';

test('what is answered otherwise than by the IMGAPI of today', async (t) => {
  const start = servers(t);
  for (const row of DIFFERENCES.flatMap(({ rows }) => rows)) {
    compare(t, row, await send(await start(row.on ?? 'dc'), row));
  }
});

test('what is answered as by the IMGAPI of today', async (t) => {
  const start = servers(t);
  for (const row of EQUAL) compare(t, row, await send(await start(row.on ?? 'dc'), row));
});

test('what no single request shows has a test of its own', async (t) => {
  for (const { what, test: file } of BEHAVIOURS) t.ok(existsSync(new URL(`../../../${file}`, import.meta.url)), what);
});
