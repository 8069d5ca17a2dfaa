/** A datacenter on SQLite with a Moray beside it, clients that never stop, and the operator who moves it. */
import type { Test } from 'tap';
import type { Migration } from '#lib/api/schemas/migration.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { pause } from '#lib/runtime/timers.ts';
import { readOperatorToken } from '#src/cli/imgapiadm/connection/operator-token.ts';
import { MorayDouble } from '../../doubles/moray/server.ts';
import type { PostgresKind } from '../../engines/postgres/postgres-for.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { type ConfigKeys, type Spawned, spawnImgapi, type TestServer } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';

export async function startMoray(
  t: Test,
): Promise<{ moray: MorayDouble; keys: { moray: { host: string; port: number } } }> {
  const moray = await new MorayDouble().start();
  t.teardown(() => moray.stop());
  return { moray, keys: { moray: { host: '127.0.0.1', port: moray.port } } };
}

export async function operatorOf(server: TestServer): Promise<ImgapiClient> {
  const authorization = `Bearer ${await readOperatorToken(server.dataDir)}`;
  return server.client({ signer: () => ({ authorization }) });
}

export async function hasEnded(operator: ImgapiClient, kind = 'documents'): Promise<Migration> {
  return waitFor('the end of the migration', async () => {
    const found = (await operator.adminListMigrations()).find((one) => one.kind === kind);
    return found && found.state !== 'running' && found;
  });
}

/** What clients do all the time. */
export class Clients {
  /** By UUID, what was acknowledged: the description, and whether Bob may see it. */
  readonly acknowledged = new Map<string, { description: string; shared: boolean }>();
  readonly failures: unknown[] = [];
  requests = 0;
  #stopping = false;
  readonly #running: Promise<void>[];

  constructor(servers: readonly TestServer[]) {
    this.#running = servers.flatMap((server) => {
      const client = server.client({ account: ALICE });
      return [this.#again(() => this.#write(client)), this.#again(() => this.#read(client))];
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Returns the UUIDs of images that are not as they were acknowledged. */
  async lost(server: TestServer): Promise<string[]> {
    const client = server.client({ account: ALICE });
    const lost: string[] = [];
    for (const [uuid, { description, shared }] of this.acknowledged) {
      const image = await client.getImage(uuid).catch(() => undefined);
      if (image?.description !== description || (image.acl?.includes(BOB) ?? false) !== shared) lost.push(uuid);
    }
    return lost;
  }

  async #again(work: () => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      try {
        await work();
        // What counts is that they never stop, not how much they do.
        await pause(20);
      } catch (error) {
        // One is enough, and a server that is gone would give any number of them.
        this.failures.push(error);
        return;
      }
    }
  }

  async #write(client: ImgapiClient): Promise<void> {
    const { uuid } = await client.createImage({ ...MANIFEST, description: '0' });
    this.acknowledged.set(uuid, { description: '0', shared: false });
    for (let n = 1; n <= 3 && !this.#stopping; n++) {
      await client.updateImage(uuid, { description: `${n}` });
      this.acknowledged.set(uuid, { description: `${n}`, shared: false });
    }
    await client.addImageAcl(uuid, [BOB]);
    const description = (await client.getImage(uuid)).description ?? '';
    this.acknowledged.set(uuid, { description, shared: true });
    this.requests += 6;
  }

  async #read(client: ImgapiClient): Promise<void> {
    const [uuid] = [...this.acknowledged.keys()].slice(-1);
    if (uuid !== undefined) await client.getImage(uuid);
    await client.listImages({ state: 'all', limit: 10 });
    await client.ping();
    this.requests += 2;
  }
}

export const MOVE_FAULTS = ['migrate:copied', 'migrate:fenced', 'migrate:verified', 'migrate:done'] as const;

/** Orders a move from a server that dies at a fault, and has another one go on with it. Returns the latter. */
export async function killed(
  t: Test,
  keys: ConfigKeys,
  to: string,
  { fault, dataDir }: { readonly fault: string; readonly dataDir?: string },
): Promise<Spawned> {
  const doomed = await spawnImgapi(t, keys, { fault: `${fault}=kill`, ...(dataDir !== undefined && { dataDir }) });
  const images = doomed.client({ account: ALICE });
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, n) => images.createImage({ ...MANIFEST, description: `${n}` })),
  );
  const offline = keys['databaseType'] === 'moray';
  await (await operatorOf(doomed)).adminMigrate({ kind: 'documents', to, offline });
  await doomed.gone;
  const heir = await spawnImgapi(t, keys, { dataDir: doomed.dataDir });
  const clients = new Clients([heir]);
  const ended = await hasEnded(await operatorOf(heir));
  t.match(ended, { state: 'succeeded', to }, ended.error ?? 'done');
  await clients.stop();
  t.same(clients.failures, []);
  t.same(await clients.lost(heir), []);
  for (const { uuid, description } of made) {
    t.equal((await heir.client({ account: ALICE }).getImage(uuid)).description, description);
  }
  return heir;
}

/** From SQLite to that PostgreSQL, back, and there again, while two processes are asked. */
export async function moveBackAndForth(t: Test, kind: PostgresKind): Promise<void> {
  const { keys } = await kind.placeFor(t);
  const { postgres } = keys;
  const one = await spawnImgapi(t, { postgres });
  const other = await spawnImgapi(t, { postgres }, { dataDir: one.dataDir });
  const clients = new Clients([one, other]);
  const operator = await operatorOf(one);
  for (const to of ['postgres', 'local', 'postgres']) {
    await operator.adminMigrate({ kind: 'documents', to });
    const ended = await hasEnded(operator);
    t.match(ended, { state: 'succeeded', to }, ended.error ?? 'done');
    const before = clients.requests;
    await waitFor('more requests', () => clients.requests > before + 50);
  }
  await clients.stop();
  t.same(clients.failures, []);
  for (const server of [one, other]) {
    t.same(await clients.lost(server), []);
    await server.stop();
  }
  const later = await spawnImgapi(t, { postgres }, { dataDir: one.dataDir });
  t.same(await clients.lost(later), [], 'who starts with the old configuration follows');
  await later.stop();
}
