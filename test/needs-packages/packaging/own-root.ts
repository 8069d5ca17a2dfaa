/**
 * A Debian system of its own for a test: this machine's files, on which whatever is written goes to memory. It is a mount
 * that only the test's processes see, and is gone with them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { marks } from '../../runner/own-run.ts';

const run = promisify(execFile);

const MOUNTS = `
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for folder in proc dev sys; do mount --rbind "/$folder" "$1/root/$folder"; done
mount -t tmpfs tmpfs "$1/root/run"
mount --bind "$2" "$1/root/mnt"
echo mounted
exec sleep infinity
`;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OwnRoot {
  run(command: string, ...args: readonly string[]): Promise<Answer>;
  /** Starts a program that goes on. It is killed with the test. */
  start(command: string, ...args: readonly string[]): ChildProcess;
}

/**
 * Undefined where one may not mount.
 * @param shared a folder that is `/mnt` there
 */
export async function ownRoot(t: Test, shared: string): Promise<OwnRoot | undefined> {
  const folder = await temporaryFolder(t, 'imgapi-root');
  const env = {
    ...marks(),
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  const holder = spawn('unshare', ['--mount', 'sh', '-c', MOUNTS, 'sh', folder, shared], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env,
  });
  const gone = once(holder, 'exit');
  t.teardown(async () => {
    holder.kill('SIGKILL');
    await gone;
  });
  const [said] = await Promise.race([once(createInterface({ input: holder.stdout }), 'line'), gone.then(() => [])]);
  if (said !== 'mounted') return undefined;
  const within = ['--mount', `--target=${holder.pid}`, 'chroot', `${folder}/root`];
  return {
    async run(command, ...args) {
      try {
        return { code: 0, ...(await run('nsenter', [...within, command, ...args], { env, maxBuffer: 2 ** 26 })) };
      } catch (error) {
        return error as Answer;
      }
    },
    start(command, ...args) {
      const child = spawn('nsenter', [...within, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
      const ended = once(child, 'exit');
      t.teardown(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      return child;
    },
  };
}
