/** Shells that keep what was exported, functions, and where one is, as those of the readers of a document do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { PATIENCE_MS } from '../../helpers/wait.ts';
import { marks } from '../../runner/own-run.ts';

const ROOT = new URL('../../..', import.meta.url).pathname;
/** What is made while one works, and what is no part of the project. */
const NOT_LINKED: ReadonlySet<string> = new Set(['build', '.git', '.tap']);

/** A folder that looks like the project's, and whose `build` is its own. */
export async function treeOfLinks(t: Test): Promise<string> {
  const tree = await temporaryFolder(t, 'imgapi-tree');
  for (const name of readdirSync(ROOT)) {
    if (!NOT_LINKED.has(name)) symlinkSync(join(ROOT, name), join(tree, name));
  }
  return tree;
}

export interface Answered {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Shell {
  readonly #folder: string;
  readonly #state: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param folder where it begins */
  constructor(folder: string, scratch: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#state = join(scratch, 'exported');
    const { PATH = `${dirname(process.execPath)}:/usr/bin:/bin`, ...others } = env;
    this.#env = { HOME: scratch, ...marks(), ...others, PATH: `${curlThatFails(scratch)}:${PATH}` };
  }

  /** Runs lines as one script that ends at the first that fails. What is not over in time is killed with all that it started. */
  async run(text: string): Promise<Answered> {
    const restore = existsSync(this.#state) ? `. '${this.#state}'; cd "$PWD"` : '';
    const script = `${restore}\nset -ae -o pipefail\n${text}\n{ export -p; declare -f; } >'${this.#state}'\n`;
    const child = spawn('bash', ['-c', script], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: whatever still has the pipes open would be waited for.
      detached: true,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk));
    const late = setTimeout(() => {
      stderr += `\nnot over within ${PATIENCE_MS / 1000} s`;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, PATIENCE_MS);
    const [status] = (await once(child, 'close')) as [number | null];
    clearTimeout(late);
    return { status, stdout, stderr };
  }
}

/** A reader sees the error that a server answers; a test sees a status. */
function curlThatFails(scratch: string): string {
  const folder = join(scratch, 'bin');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'curl');
  writeFileSync(file, '#!/bin/sh\nexec /usr/bin/curl --fail-with-body "$@"\n');
  chmodSync(file, 0o755);
  return folder;
}
