/**
 * Two linked datacenters in processes of their own, which can be killed, paused and restarted. Each is reached through
 * two relays, whose addresses stay the same: clients use one, and the other datacenter uses the other, which counts
 * bytes and fails on purpose. A datacenter is on SQLite and local files, or on engines that several machines share: then
 * each process has a data folder of its own, and reaches either of them through a relay.
 */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { LinkReport } from '#lib/api/schemas/datacenter.ts';
import { Caller } from '#lib/client/caller.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import type { Ground } from '../engines/grounds.ts';
import { ALICE } from './accounts.ts';
import { type ConfigKeys, type Spawned, spawnImgapi, temporaryFolder } from './imgapi.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { PATIENCE_MS, waitFor } from './wait.ts';

export const MiB = 1024 * 1024;

/** Short times, so that tests do not wait long for leases, retries and the sweeper's grace time. */
const QUICK_COPIES = { leaseSeconds: 1.5, heartbeatSeconds: 0.2, stallSeconds: 2, retryDelay: { min: 0.05, max: 0.5 } };
const SWEEP = { graceSeconds: 0.5 };

export interface StartOptions {
  /** `IMGAPI_FAULT`, see src/service/fault-points.ts. */
  readonly fault?: string;
  /** Milliseconds by which the process's own clock is ahead of the others, because it is set wrong. */
  readonly ahead?: number;
  /** Milliseconds that have passed for the process and its database. */
  readonly later?: number;
  /** These override the datacenter's own, and stay in effect for later starts. */
  readonly keys?: ConfigKeys;
  /** URLs of modules that the process loads before its own code. */
  readonly preload?: readonly string[];
}

/** What a process reaches through relays of its own. */
export interface Wires {
  readonly documents: TcpProxy;
  readonly objects: TcpProxy;
}

interface Way {
  readonly front: TcpProxy;
  readonly network: TcpProxy;
  readonly wires: Wires | undefined;
  readonly ground: Ground | undefined;
}

/** A datacenter, or another process on the same stores. */
export class Site {
  readonly name: string;
  readonly dataDir: string;
  /** Clients come through here. */
  readonly front: TcpProxy;
  /** The other datacenters come through here. */
  readonly network: TcpProxy;
  /** Absent: SQLite and local files, in the data folder. */
  readonly ground: Ground | undefined;
  readonly alice: ImgapiClient;
  readonly operator: ImgapiClient;
  readonly #t: Test;
  readonly #operations: Caller;
  readonly #wires: Wires | undefined;
  #keys: ConfigKeys;
  #server: Spawned | undefined;

  constructor(t: Test, name: string, dataDir: string, { front, network, wires, ground }: Way, keys: ConfigKeys) {
    this.#t = t;
    this.name = name;
    this.dataDir = dataDir;
    this.front = front;
    this.network = network;
    this.#wires = wires;
    this.ground = ground;
    this.#keys = keys;
    const { url } = this.front;
    this.alice = new ImgapiClient({ url, account: ALICE });
    this.operator = new ImgapiClient({ url });
    this.#operations = new Caller({ url });
    t.teardown(async () => {
      await Promise.all([this.alice.destroy(), this.operator.destroy(), this.#operations.transport.destroy()]);
      const relays = [front, network, ...(wires ? [wires.documents, wires.objects] : [])];
      await Promise.all(relays.map((relay) => relay.close()));
    });
  }

  /** The ports behind the relays. */
  get ports(): { readonly main: number; readonly links: number } {
    const { url, linksUrl } = this.server;
    return { main: portOf(url), links: portOf(linksUrl ?? url) };
  }

  /** Those of a process on shared engines. */
  get wires(): Wires {
    if (!this.#wires) throw new Error(`${this.name} shares nothing over the network`);
    return this.#wires;
  }

  get server(): Spawned {
    if (!this.#server) throw new Error(`${this.name} was not started`);
    return this.#server;
  }

  client(account: string): ImgapiClient {
    const client = new ImgapiClient({ url: this.front.url, account });
    this.#t.teardown(() => client.destroy());
    return client;
  }

  async start({ fault, ahead, later, keys, preload }: StartOptions = {}): Promise<void> {
    this.#keys = merged(this.#keys, keys);
    this.#server = await spawnImgapi(this.#t, this.#keys, {
      dataDir: this.dataDir,
      ...(fault === undefined ? {} : { fault }),
      ...(ahead === undefined ? {} : { ahead }),
      ...(later === undefined ? {} : { later }),
      ...(preload === undefined ? {} : { preload }),
    });
  }

  async kill(): Promise<void> {
    await this.server.kill();
  }

  async restart(options: StartOptions = {}): Promise<void> {
    await this.kill();
    await this.start(options);
  }

  /** Waits until the process dies at the fault that it was started with. */
  async diesByItself(): Promise<void> {
    await bounded(this.server.gone, `${this.name} to die`);
  }

  /** Waits until the process pauses at the fault that it was started with. */
  async pausesByItself(): Promise<void> {
    await waitFor(`${this.name} to pause`, () => stateOf(this.pid) === 'T');
  }

  /** Sends SIGSTOP; resolves when the process has stopped. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    await this.pausesByItself();
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  get pid(): number {
    const { pid } = this.server.process;
    if (pid === undefined) throw new Error(`${this.name} has no process`);
    return pid;
  }

  /** A request by the operator on the machine, like those of imgapiadm. */
  async administer<T>(method: 'GET' | 'POST' | 'DELETE', path: string, json?: unknown): Promise<T> {
    const token = (await readFile(join(this.dataDir, 'keys/operator.token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}` };
    return this.#operations.json<T>({ method, path, headers, ...(json === undefined ? {} : { json }) });
  }

  /** Orders the copy as alice and follows it to its end, whatever happens to the server. */
  async copy(uuid: string, from: string): Promise<CopyStatus> {
    await this.order(uuid, from);
    return this.ended(uuid);
  }

  order(uuid: string, from: string): Promise<CopyStatus> {
    return this.alice.copyImageFromDc(uuid, { datacenter: from });
  }

  /** The copy's status once it has ended. */
  ended(uuid: string, bound = PATIENCE_MS): Promise<CopyStatus> {
    return this.reaches(uuid, ({ finished_at }) => finished_at !== undefined, bound);
  }

  /** The copy's status once it meets the condition. Keeps asking even while the server does not answer. */
  reaches(uuid: string, condition: (status: CopyStatus) => boolean, bound = PATIENCE_MS): Promise<CopyStatus> {
    let last: unknown;
    return waitFor(
      `the copy of ${uuid} to ${this.name} to reach ${condition}`,
      async () => {
        last = await this.operator.getImageCopy(uuid).catch((error: unknown) => error);
        return last instanceof Error || !condition(last as CopyStatus) ? undefined : (last as CopyStatus);
      },
      bound,
    ).catch((cause: unknown) => {
      const shown = last instanceof Error ? String(last) : JSON.stringify(last);
      throw new Error(`${String(cause)}; it is ${shown}`, { cause });
    });
  }
}

export interface Cloud {
  /** The source of copies. */
  readonly east: Site;
  /** Their destination. */
  readonly west: Site;
}

export interface CloudOptions {
  readonly east?: ConfigKeys;
  readonly west?: ConfigKeys;
  /** What the processes of the destination share. */
  readonly ground?: Ground | undefined;
}

/** Two linked datacenters, up and running. */
export async function startCloud(t: Test, options: CloudOptions = {}): Promise<Cloud> {
  const [east, west] = await Promise.all([
    startSite(t, 'us-east', options.east),
    startSite(t, 'us-west', options.west, options.ground),
  ]);
  await link(east, west);
  return { east, west };
}

export async function startSite(t: Test, name: string, keys: ConfigKeys = {}, ground?: Ground): Promise<Site> {
  const dataDir = await temporaryFolder(t, `imgapi-${name}`);
  const site = await makeSite(t, name, dataDir, keys, ground);
  await site.start();
  return site;
}

/** Another process on the same stores, with its own relays; not started yet. */
export async function secondProcess(t: Test, of: Site, keys: ConfigKeys = {}): Promise<Site> {
  const dataDir = of.ground ? await temporaryFolder(t, `imgapi-${of.name}`) : of.dataDir;
  return makeSite(t, of.name, dataDir, keys, of.ground);
}

async function wiresTo({ documents, objects }: Ground): Promise<Wires> {
  const [first, second] = await Promise.all([startTcpProxy(documents.port), startTcpProxy(objects.port)]);
  return { documents: first, objects: second };
}

/** A process that is not started yet. */
export async function makeSite(
  t: Test,
  name: string,
  dataDir: string,
  keys: ConfigKeys = {},
  ground?: Ground,
): Promise<Site> {
  let site: Site | undefined;
  const port =
    (kind: 'main' | 'links'): (() => number) =>
    () =>
      site?.ports[kind] ?? 0;
  const [front, network] = await Promise.all([startTcpProxy(port('main')), startTcpProxy(port('links'))]);
  const wires = ground && (await wiresTo(ground));
  const own: ConfigKeys = {
    ...(wires && ground?.documents.keys(wires.documents.port)),
    ...(wires && ground?.objects.keys(wires.objects.port)),
    datacenterName: name,
    publicUrl: front.url,
    links: { port: 0, publicUrl: network.url },
    copies: QUICK_COPIES,
    sweep: SWEEP,
  };
  site = new Site(t, name, dataDir, { front, network, wires, ground }, merged(own, keys));
  return site;
}

/** Links two datacenters; returns what the operator is told. */
export async function link(east: Site, west: Site): Promise<LinkReport> {
  const { token } = await east.administer<{ token: string }>('POST', '/datacenters/token', {});
  return west.administer('POST', '/datacenters', { name: east.name, url: east.network.url, token });
}

/** Nested objects are merged key by key. */
function merged(keys: ConfigKeys, over: ConfigKeys = {}): ConfigKeys {
  const result: Record<string, unknown> = { ...keys };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    const both = [before, value].every((side) => typeof side === 'object' && side !== null && !Array.isArray(side));
    result[key] = both ? { ...(before as object), ...(value as object) } : value;
  }
  return result;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** The kernel's letter for the state of the process: T if it is stopped. */
export function stateOf(pid: number): string | undefined {
  return /^\d+ \(.*\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

export async function bounded<T>(promise: Promise<T>, what: string, bound = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${bound} ms in vain for ${what}`)), bound);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
