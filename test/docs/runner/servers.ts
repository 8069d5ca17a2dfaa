/** The servers that a document tells its reader to start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { checkedChild } from '../../helpers/contract/child.ts';
import { marks } from '../../runner/own-run.ts';

export interface DocumentServer {
  start(): Promise<void>;
  /** SIGTERM, and gone when this resolves. */
  stop(): Promise<void>;
  /** Where it listens. */
  readonly url: string;
  /** What it has logged since it was started, as it was written. */
  readonly log: string;
  /** Of the group of processes that the line started. */
  readonly pid: number;
}

/** @param line as the document has it, with the reader's values put in; the test ends what it starts */
export function documentServer(t: Test, line: string, folder: string): DocumentServer {
  const contract = checkedChild(t);
  let running: { child: ChildProcess; gone: Promise<unknown[]>; url: string } | undefined;
  let log = '';
  t.teardown(async () => {
    if (!running) return;
    signal(running.child, 'SIGKILL');
    await running.gone;
  });
  return {
    get url() {
      if (!running) throw new Error(`${line} was not started`);
      return running.url;
    },
    get log() {
      return log;
    },
    get pid() {
      if (running?.child.pid === undefined) throw new Error(`${line} was not started`);
      return running.child.pid;
    },
    async start() {
      const child = spawn('bash', ['-c', line], {
        cwd: folder,
        // A group of its own, so that whatever stands before the server in the line goes with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...marks(),
          ...{ PATH: `${folder}/src/cli/bin:${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder },
          // Other lines start an older Node first, which could not load it.
          ...(line.startsWith('node-24 ') && { NODE_OPTIONS: `--import=${contract.preload}`, ...contract.env }),
        },
      });
      const gone = once(child, 'exit');
      log = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
      running = { child, gone, url: '' };
      const lines = createInterface({ input: child.stdout });
      const first = Promise.race([once(lines, 'line'), gone.then(() => ['it ended'])]);
      const [said] = (await first) as [string];
      const url = /listens on (http:\/\/[^\s,]+)/.exec(said)?.[1];
      if (url === undefined) throw new Error(`${line}: ${said}: ${log}`);
      running = { child, gone, url };
    },
    async stop() {
      if (!running) throw new Error(`${line} was not started`);
      signal(running.child, 'SIGTERM');
      const [status, name] = await running.gone;
      // make, when it is asked to stop, waits for what it runs, and then ends by the signal itself.
      t.ok(status === 0 || name === 'SIGTERM', `${line} ends as it was asked to`);
      running = undefined;
    },
  };
}

function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}
