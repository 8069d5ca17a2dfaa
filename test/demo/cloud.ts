/** The demo's cloud: two datacenters as processes of their own, and the people in its account directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const PEOPLE = {
  admin: '930896af-bf8c-48d4-885c-6573a94b1853',
  alice: 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
  bob: 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4',
  carol: 'c8a1f6e2-5d6b-4f0c-9a36-3a7c1c1f4b11',
} as const;

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Datacenter {
  readonly name: string;
  readonly dataDir: string;
  readonly url: string;
  readonly linksUrl: string;
  readonly process: ChildProcess;
}

export interface DatacenterOptions {
  readonly name: string;
  readonly directory: string;
  /** 0 takes any. */
  readonly port: number;
  readonly linksPort: number;
  /** Where the other datacenters reach the link listener. */
  readonly linksPublicUrl: string;
  readonly bandwidth?: Readonly<Record<string, number>>;
}

export async function writePeople(directory: string): Promise<string> {
  const file = join(directory, 'accounts.json');
  const accounts = Object.entries(PEOPLE).map(([login, uuid]) => ({ uuid, login, created_at: '2017-10-17T00:00:00Z' }));
  await writeFile(file, `${JSON.stringify(accounts, null, 2)}\n`);
  return file;
}

/** Resolves when it listens. What it logs goes to `imgapi.log` in its folder. */
export async function startDatacenter(options: DatacenterOptions, accountsFile: string): Promise<Datacenter> {
  const dataDir = join(options.directory, options.name);
  await mkdir(dataDir, { recursive: true });
  const configFile = join(dataDir, 'config.json');
  await writeFile(configFile, `${JSON.stringify(configOf(options, dataDir, accountsFile), null, 2)}\n`);
  const log = await open(join(dataDir, 'imgapi.log'), 'a');
  const child = spawn(process.execPath, ['src/main.ts', '-f', configFile], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', log.fd],
  });
  await log.close();
  const line = await firstLine(child);
  const match = /listens on (\S+), links on (\S+), data/.exec(line);
  if (!match?.[1] || !match[2])
    throw new Error(`${options.name} did not start; see ${join(dataDir, 'imgapi.log')}\n${line}`);
  return { name: options.name, dataDir, url: match[1], linksUrl: match[2], process: child };
}

function configOf(options: DatacenterOptions, dataDir: string, accountsFile: string): object {
  return {
    mode: 'dc',
    authType: 'none',
    datacenterName: options.name,
    adminUuid: PEOPLE.admin,
    address: '127.0.0.1',
    port: options.port,
    dataDir,
    accounts: { file: accountsFile },
    links: { address: '127.0.0.1', port: options.linksPort, publicUrl: options.linksPublicUrl },
    copies: { leaseSeconds: 4, heartbeatSeconds: 0.5, ...(options.bandwidth ? { bandwidth: options.bandwidth } : {}) },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit').then(([code]) => `it exited with status ${code}`);
  const line = await Promise.race([once(lines, 'line').then(([first]) => String(first)), exited]);
  child.stdout.resume();
  return line;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
