/** Requests per second for single images and pages of lists over 10,000 images, against restify's hello world. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { BUCKETS } from '#src/buckets.ts';
import { ARCHIVED } from '#src/images/files/archive.ts';
import { ALICE, BOB, CAROL } from '../helpers/accounts.ts';
import { compare, type Figure } from './measure.ts';
import { startBareRestify, startServer } from './server.ts';

const IMAGE_COUNT = 10_000;
const CONNECTIONS = 16;
const SECONDS = 3;

export async function benchRequests(directory: string, profile?: string): Promise<Figure[]> {
  const dataDir = join(directory, profile ? 'requests-profiled' : 'requests');
  // What an earlier run left would be counted with.
  await rm(dataDir, { recursive: true, force: true });
  // The server makes the tables; the images are then put straight into them.
  await (await startServer({ name: 'bench-1', dataDir })).stop();
  const uuids = await fill(dataDir);
  const server = await startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
  const bare = await startBareRestify();
  try {
    const reference = (): Promise<number> => rate(`${bare.url}/hello`);
    const figure = (name: string, target: number, path: string): Promise<Figure> =>
      compare({ name, against: 'bare restify', unit: 'requests/s', target }, () => rate(server.url + path), reference);
    return [
      await figure('GetImage', 0.5, `/images/${uuids[IMAGE_COUNT / 2]}`),
      await figure('ListImages limit=20 by name', 0.15, '/images?limit=20&name=image-7'),
      await figure('ListImages limit=20 by account', 0.15, `/images?limit=20&account=${ALICE}`),
    ];
  } finally {
    await server.stop();
    await bare.stop();
  }
}

async function fill(dataDir: string): Promise<string[]> {
  const store = await openSqliteStore({ path: join(dataDir, 'imgapi.db') });
  await store.open(BUCKETS);
  const uuids: string[] = [];
  for (let batch = 0; batch < IMAGE_COUNT; batch += 500) {
    const records = Array.from({ length: 500 }, (_, index) => record(batch + index));
    uuids.push(...records.map(({ uuid }) => uuid));
    const etags = await store.batch(
      records.map((value) => ({ op: 'put', bucket: IMAGES, key: value.uuid, value, ifEtag: null })),
    );
    // As images are that have been there for a while: or the server would be busy with archiving them.
    await store.batch(
      uuids.slice(-500).map((key, at) => ({ op: 'put', bucket: ARCHIVED, key, value: { etag: etags[at] } })),
    );
  }
  await store.close();
  return uuids;
}

function record(index: number): ImageRecord {
  const published = new Date(Date.UTC(2020, 0, 1) + index * 60_000).toISOString();
  return {
    v: 2,
    uuid: randomUUID(),
    owner: [ALICE, BOB, CAROL][index % 3] ?? ALICE,
    name: `image-${index % 200}`,
    version: `1.${index}.0`,
    description: 'An image among many, with a description of the length that descriptions commonly have.',
    state: 'active',
    activated: true,
    disabled: false,
    public: index % 10 === 0,
    published_at: published,
    type: 'zone-dataset',
    os: 'smartos',
    files: [
      {
        sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
        size: 1e8,
        contentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==',
        mtime: published,
        stor: 'local',
        compression: 'gzip',
      },
    ],
    acl: index % 5 === 0 ? [ALICE] : [],
    requirements: { min_platform: { '7.0': '20130917T001310Z' } },
    tags: ['role=db'],
    tagsObj: { role: 'db' },
    rev: 1,
  };
}

async function rate(url: string): Promise<number> {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} bad answers, ${result.errors} errors`);
  return result.requests.average;
}
