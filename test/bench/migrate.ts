/**
 * How long a move of many documents takes, and how long calls wait meanwhile. `node test/bench/migrate.ts 100000` moves so
 * many images from SQLite to PostgreSQL and back, while a client reads and writes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Logger from 'bunyan';
import { IMAGES } from '#lib/manifest/record.ts';
import { pause } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { startImgapi } from '#src/app.ts';
import { migrate } from '#src/migrations/migrate.ts';
import { listMigrations } from '#src/migrations/orders.ts';
import { loadConfig } from '#src/service/config/load.ts';
import type { Service } from '#src/service/service.ts';
import { fromNpm } from '../engines/postgres/installation.ts';
import { startPostgres } from '../engines/postgres/server.ts';
import { ADMIN, ALICE, writeAccounts } from '../helpers/accounts.ts';
import { unactivatedRecord } from '../helpers/records.ts';

const images = Number(process.argv[2] ?? 100_000);
const BATCH = 500;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function fill({ store }: Service): Promise<string> {
  let uuid = '';
  for (let made = 0; made < images; made += BATCH) {
    const keys = Array.from({ length: Math.min(BATCH, images - made) }, () => newUuid());
    const value = (key: string) => unactivatedRecord(key, ALICE, { description: 'x'.repeat(1000), acl: [newUuid()] });
    await store.batch(keys.map((key) => ({ op: 'put', bucket: IMAGES, key, value: value(key) })));
    uuid = keys[0] ?? uuid;
  }
  return uuid;
}

/** Writes again and again; returns the longest time that a write took, in milliseconds. */
async function write({ store }: Service, uuid: string, stop: AbortSignal): Promise<number> {
  let longest = 0;
  for (let n = 0; !stop.aborted; n += 1) {
    const start = performance.now();
    const value = unactivatedRecord(uuid, ALICE, { description: `${n}` });
    await store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value }]);
    longest = Math.max(longest, performance.now() - start);
    await pause(10);
  }
  return longest;
}

async function move(service: Service, to: string, uuid: string): Promise<void> {
  const start = performance.now();
  const stop = new AbortController();
  const longest = write(service, uuid, stop.signal);
  let phase = '';
  let most = 0;
  await migrate(service, { kind: 'documents', to, dryRun: false, isOffline: false });
  for (;;) {
    const [found] = await listMigrations(service.store);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (found?.phase !== phase) say(`  ${seconds} s: ${found?.phase ?? found?.state} ${found?.error ?? ''}`);
    phase = found?.phase ?? '';
    most = Math.max(most, process.memoryUsage().rss);
    if (found?.state !== 'running') break;
    await pause(100);
  }
  stop.abort();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(
    `${images} images to ${to}: ${seconds} s, longest write ${Math.round(await longest)} ms, ${Math.round(most / 1e6)} MB`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'imgapi-bench-migrate-'));
const server = await startPostgres(fromNpm, { autovacuum: 'on' });
try {
  await server.query('create schema imgapi');
  const postgres = { host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres', schema: 'imgapi' };
  const { config } = await loadConfig(undefined, {
    ...{ mode: 'dc', authType: 'none', datacenterName: 'bench-1', adminUuid: ADMIN, dataDir: folder },
    ...{ address: '127.0.0.1', port: 0, accounts: { file: await writeAccounts(folder) }, postgres },
  });
  const imgapi = await startImgapi(config, { log: new Logger({ name: 'bench', streams: [] }) });
  const uuid = await fill(imgapi.service);
  for (const to of ['postgres', 'local']) await move(imgapi.service, to, uuid);
  await imgapi.close({ patience: 0 });
} finally {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
}
