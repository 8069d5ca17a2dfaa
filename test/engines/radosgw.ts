/**
 * Ceph's S3 gateway, as a server of a test file's own: one monitor, one OSD on a sparse file and one gateway, without a
 * manager and without Ceph's own authentication.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { freePort } from '../helpers/free-port.ts';
import { waitFor } from '../helpers/wait.ts';
import type { S3Server } from './s3.ts';

const run = promisify(execFile);
const PROGRAMS = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'monmaptool', 'ceph'];
const BUCKET = 'images';

export function radosgwAbsent(): string | undefined {
  const missing = PROGRAMS.filter((name) => !existsSync(`/usr/bin/${name}`));
  return missing.length === 0 ? undefined : `${missing.join(', ')} of Debian's packages of Ceph`;
}

export async function startRadosgw(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'radosgw-'));
  const processes: ChildProcess[] = [];
  const daemon = (name: string, ...args: string[]): ChildProcess => {
    const child = spawn(`/usr/bin/${name}`, ['-c', join(folder, 'ceph.conf'), '-f', ...args], { stdio: 'ignore' });
    processes.push(child);
    return child;
  };
  const port = await freePort();
  const close = async (): Promise<void> => {
    await Promise.all(processes.reverse().map(kill));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const credentials = await startCluster(folder, port, daemon);
    let gateway = daemon('radosgw', '-n', 'client.gw');
    const endpoint = `http://127.0.0.1:${port}`;
    const client = new S3Client({ endpoint, region: 'default', credentials, forcePathStyle: true, maxAttempts: 1 });
    await waitFor('the gateway', () => answers(client));
    return {
      ...accessTo(client),
      settings: { endpoint, region: 'default', bucket: BUCKET, credentials, pathStyle: true },
      stop: () => kill(gateway),
      async start() {
        gateway = daemon('radosgw', '-n', 'client.gw');
        await waitFor('the gateway', () => answers(client));
      },
      async close() {
        client.destroy();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns the credentials of the gateway's only user */
async function startCluster(folder: string, port: number, daemon: (name: string, ...args: string[]) => ChildProcess) {
  const config = join(folder, 'ceph.conf');
  const fsid = randomUUID();
  const monitor = `127.0.0.1:${await freePort()}`;
  await writeFile(config, configOf(folder, fsid, monitor, port));
  await Promise.all(['mon', 'osd', 'run'].map((name) => mkdir(join(folder, name))));
  const map = join(folder, 'monmap');
  await run('monmaptool', ['--create', '--addv', 'a', `[v2:${monitor}]`, '--fsid', fsid, map]);
  await run('ceph-mon', ['-c', config, '--mkfs', '-i', 'a', '--monmap', map]);
  daemon('ceph-mon', '-i', 'a');
  const disk = randomUUID();
  await waitFor('the monitor', () => succeeds('ceph', ['-c', config, '--connect-timeout', '5', 'osd', 'new', disk]));
  await run('ceph-osd', ['-c', config, '--mkfs', '-i', '0', '--osd-uuid', disk]);
  daemon('ceph-osd', '-i', '0');
  const credentials = { accessKeyId: 'TESTTESTTESTTEST', secretAccessKey: 'secret/of+tests' };
  const { accessKeyId, secretAccessKey } = credentials;
  const user = [
    '--uid',
    'imgapi',
    '--display-name',
    'imgapi',
    '--access-key',
    accessKeyId,
    '--secret',
    secretAccessKey,
  ];
  await run('radosgw-admin', ['-c', config, '-n', 'client.gw', 'user', 'create', ...user], { timeout: 120_000 });
  return credentials;
}

function configOf(folder: string, fsid: string, monitor: string, port: number): string {
  return `[global]
fsid = ${fsid}
mon host = [v2:${monitor}]
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = ${folder}/run
admin socket = ${folder}/run/$name.$pid.asok
log file = /dev/null
mon cluster log file = /dev/null
mon data = ${folder}/mon
mon allow pool size one = true
mon warn on pool no redundancy = false
mon osd full ratio = 0.99
mon data avail crit = 1
osd data = ${folder}/osd
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = bluestore
osd memory target = 939524096
bluestore block size = 21474836480
rgw gc obj min wait = 60
rgw gc processor period = 60
[client.gw]
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw data = ${folder}/run
keyring = /dev/null
`;
}

function accessTo(client: S3Client): Pick<S3Server, 'keys' | 'uploads' | 'removeAll'> {
  const keys = async (Prefix: string): Promise<string[]> => {
    const found: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: BUCKET,
        Prefix,
        ...(ContinuationToken && { ContinuationToken }),
      });
      const page = await client.send(command);
      found.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    return found;
  };
  return {
    keys,
    async uploads(Prefix) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix }));
      return Uploads.map(({ Key = '' }) => Key);
    },
    async removeAll(prefix) {
      for (const Key of await keys(prefix)) await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    },
  };
}

async function answers(client: S3Client): Promise<boolean> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }), { abortSignal: AbortSignal.timeout(20_000) });
    return true;
  } catch {
    return false;
  }
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args, { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
