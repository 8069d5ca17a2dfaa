/** The demo's cloud: datacenters whose IMGAPI and CloudAPI are processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ADMIN } from '../helpers/accounts.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Process {
  readonly url: string;
  readonly child: ChildProcess;
}

export interface ImgapiOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly accountsFile: string;
  readonly port: number;
  readonly linksPort: number;
  /** Where the other datacenters reach the link listener. */
  readonly linksPublicUrl: string;
  /** Bytes per second by the datacenter that they come from. */
  readonly bandwidth: Readonly<Record<string, number>>;
}

export function startImgapi(options: ImgapiOptions): Promise<Process> {
  return start('src/main.ts', 'imgapi', options.dataDir, {
    mode: 'dc',
    authType: 'none',
    datacenterName: options.name,
    adminUuid: ADMIN,
    address: '127.0.0.1',
    port: options.port,
    dataDir: options.dataDir,
    accounts: { file: options.accountsFile },
    links: { address: '127.0.0.1', port: options.linksPort, publicUrl: options.linksPublicUrl },
    copies: { leaseSeconds: 4, heartbeatSeconds: 0.5, bandwidth: options.bandwidth },
  });
}

export interface CloudapiOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly accountsFile: string;
  readonly port: number;
  readonly imgapiUrl: string;
  /** URL of each datacenter's CloudAPI by its name. */
  readonly datacenters: Readonly<Record<string, string>>;
}

export function startCloudapi(options: CloudapiOptions): Promise<Process> {
  return start('src/cloudapi/main.ts', 'cloudapi', options.dataDir, {
    address: '127.0.0.1',
    port: options.port,
    datacenterName: options.name,
    imgapi: { url: options.imgapiUrl },
    accounts: { file: options.accountsFile },
    adminUuid: ADMIN,
    datacenters: options.datacenters,
  });
}

/** Resolves when it listens. What it logs goes to a file beside its data. */
async function start(script: string, name: string, directory: string, config: object): Promise<Process> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const configFile = join(directory, `${name}.json`);
  await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`);
  const logFile = join(directory, `${name}.log`);
  const log = await open(logFile, 'a');
  const child = spawn(process.execPath, [script, '-f', configFile], { cwd: ROOT, stdio: ['ignore', 'pipe', log.fd] });
  await log.close();
  const line = await firstLine(child);
  const url = /listens on (http:\/\/[^\s,]+)/.exec(line)?.[1];
  if (url === undefined) throw new Error(`${name} did not start; see ${logFile}\n${line}`);
  return { url, child };
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
