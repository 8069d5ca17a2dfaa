/** One side of a link: real stores and the real link listener, without the rest of the service. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import bunyan from 'bunyan';
import type { Test } from 'tap';
import { cacheAccounts } from '#lib/accounts/cache.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { BUCKETS } from '#src/buckets.ts';
import { linkAuthentication } from '#src/datacenters/links/authenticate.ts';
import type { LinkRecord } from '#src/datacenters/links/documents.ts';
import { type LinkClient, linkClient } from '#src/datacenters/links/link-client.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken, type LinkTokenOptions } from '#src/datacenters/links/link-tokens.ts';
import { findLink, putLink } from '#src/datacenters/links/links.ts';
import { newest, ownKeys } from '#src/datacenters/links/own-keys.ts';
import { listen } from '#src/http-kit/server.ts';
import { noteFileHash } from '#src/images/files/file-hashes.ts';
import type { Route } from '#src/imgapi/call.ts';
import { IMGAPI } from '#src/imgapi/listener.ts';
import { linkListenerRoutes } from '#src/imgapi/routes.ts';
import type { Config } from '#src/service/config/config.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { noFaults } from '#src/service/fault-points.ts';
import { OwnAddresses } from '#src/service/own-addresses.ts';
import type { Service } from '#src/service/service.ts';
import { Storages } from '#src/service/storages.ts';
import { ADMIN, PEOPLE, writeAccounts } from './accounts.ts';
import { unactivatedRecord } from './records.ts';
import { TestClock } from './test-clock.ts';

export interface Datacenter {
  readonly name: string;
  readonly service: Service;
  /** URL of its link listener. */
  readonly url: string;
  readonly clock: TestClock;
  /** Stops answering for good. */
  stop(): Promise<void>;
}

export interface DatacenterOptions {
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly accounts?: readonly object[];
  /** Returns the store to use instead of the local one. */
  readonly storage?: (local: ObjectStore) => ObjectStore;
}

export async function startDatacenter(t: Test, name: string, options: DatacenterOptions = {}): Promise<Datacenter> {
  const dataDir = await mkdtemp(join(tmpdir(), 'imgapi-link-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const links = { address: '127.0.0.1', port: 1, ...(options.keys?.['links'] as object | undefined) };
  const file = await writeAccounts(dataDir, options.accounts ?? PEOPLE);
  const loaded = await loadConfig(undefined, {
    mode: 'dc',
    datacenterName: name,
    adminUuid: ADMIN,
    dataDir,
    accounts: { file },
    images: { keepDeletedSeconds: 0 },
    ...options.keys,
    links,
  });
  // A copy, because loaded configurations are frozen and the port is known only once the listener has one.
  const config = structuredClone(loaded.config);
  const log = bunyan.createLogger({ name, level: (process.env['TEST_LOG'] ?? 'fatal') as bunyan.LogLevel });
  const clock = new TestClock();
  const store = await openSqliteStore({ path: `${dataDir}/imgapi.db`, clock });
  t.teardown(() => store.close());
  await store.open(BUCKETS);
  const local = await openLocalStore({ root: `${dataDir}/storage` });
  t.teardown(() => local.close());
  const accounts = cacheAccounts(await openAccountsFile({ path: file }), { ttl: 0 });
  t.teardown(() => accounts.close());
  const storages = new Storages(config, options.storage?.(local) ?? local);
  const ownAddresses = new OwnAddresses();
  const worker = randomUUID();
  const service: Service = {
    ...{ config, store, storages, accounts, clock, log, worker, faults: noFaults },
    ownAddresses,
  };
  const listener = await serve(t, service, linkListenerRoutes(service, { nudge: () => undefined }));
  const { port } = new URL(listener.url);
  ownAddresses.add(listener.url);
  Object.assign(config.links, { port: Number(port), publicUrl: listener.url });
  return { name, service, url: listener.url, clock, stop: listener.close };
}

/** A link listener with these routes. */
async function serve(t: Test, service: Service, routes: readonly Route[]) {
  const listener = await listen(
    {
      routes,
      log: service.log,
      serverName: 'imgapi-test',
      limits: { json: service.config.limits.jsonBytes },
      ...IMGAPI,
      authenticate: linkAuthentication(service),
    },
    '127.0.0.1',
    0,
  );
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= listener.close({ patience: 0 }));
  t.teardown(close);
  return { url: listener.url, close };
}

/** Changes fields that are readonly, as if an operator had restarted the service with another config. */
export function setConfig<K extends keyof Config>({ service }: Datacenter, key: K, value: Partial<Config[K]>): void {
  Object.assign(service.config, { [key]: { ...(service.config[key] as object), ...(value as object) } });
}

/** An image with a file, put straight into the stores. */
export async function putImage(
  { service }: Datacenter,
  owner: string,
  fields: Partial<ImageRecord> = {},
  bytes: Buffer = randomBytes(50_000),
): Promise<{ readonly record: ImageRecord; readonly bytes: Buffer; readonly sha1: string }> {
  const uuid = fields.uuid ?? randomUUID();
  const local = service.storages.named('local');
  const sha1 = createHash('sha1').update(bytes).digest('hex');
  await putObject(local, imageObjectPath(uuid, 'file0'), bytes);
  const record = unactivatedRecord(uuid, owner, {
    state: 'active',
    activated: true,
    published_at: '2026-01-02T03:04:05.006Z',
    files: [
      {
        sha1,
        size: bytes.length,
        contentMD5: createHash('md5').update(bytes).digest('base64'),
        sha256: createHash('sha256').update(bytes).digest('hex'),
        mtime: '2026-01-02T03:04:05.006Z',
        stor: 'local',
        compression: 'gzip',
      },
    ],
    ...fields,
  });
  const hashes = (record.files ?? []).flatMap((file, index) => noteFileHash(uuid, index, file));
  await service.store.batch([{ op: 'put', bucket: IMAGES, key: uuid, value: record }, ...hashes]);
  return { record, bytes, sha1 };
}

export async function putObject(storage: ObjectStore, path: string, bytes: Buffer): Promise<void> {
  const session = await storage.open({ path, session: randomUUID() });
  await session.append(Readable.from([bytes]));
  await session.commit();
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Two linked datacenters. */
export async function linkedPair(
  t: Test,
  options: {
    readonly east?: DatacenterOptions;
    readonly west?: DatacenterOptions;
    readonly terms?: LinkTokenOptions;
  } = {},
): Promise<{ readonly east: Datacenter; readonly west: Datacenter }> {
  const [east, west] = await Promise.all([
    startDatacenter(t, 'us-east-1', options.east),
    startDatacenter(t, 'us-west-1', options.west),
  ]);
  const { token, url } = await createLinkToken(west.service, options.terms);
  await linkDatacenter(east.service, { name: west.name, url, token });
  return { east, west };
}

/** A datacenter that is linked with one named `to`, which does not exist and is never asked. */
export async function startLinked(t: Test, name: string, to: string, options?: DatacenterOptions): Promise<Datacenter> {
  const dc = await startDatacenter(t, name, options);
  const { fingerprint } = newest((await ownKeys(dc.service)).value);
  const link: LinkRecord = {
    ...{ name: to, url: 'http://127.0.0.1:9', our_url: dc.url, keys: [], our_key: fingerprint },
    ...{ pull_origins: [], pull_origins_named: true, created_at: '2026-01-01T00:00:00.000Z', rev: 0 },
  };
  await dc.service.store.batch([putLink(link, null)]);
  return dc;
}

/** The client with which `from` signs and sends requests to the other. */
export async function clientOf(from: Datacenter, to: string): Promise<LinkClient> {
  const stored = await findLink(from.service, to);
  if (!stored) throw new Error(`${from.name} is not linked with ${to}`);
  return linkClient(from.service, stored.value);
}
