/** Runs the commands of the story as their users type them, and shows both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Person } from './people.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Commands by the name under which users know them. */
const COMMANDS = {
  imgapiadm: ['src/cli/bin/imgapiadm'],
  triton: ['src/cli/bin/node-24', 'node_modules/triton/bin/triton'],
  'triton-image': ['src/cli/bin/triton-image'],
} as const;

/** What one types below the project's folder. */
export function typed(command: keyof typeof COMMANDS): string {
  return COMMANDS[command].join(' ');
}

export interface Run {
  /** Shown before the command. */
  readonly prompt: string;
  readonly command: keyof typeof COMMANDS;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The output is only answered. */
  readonly quiet?: boolean;
  /** Part of the arguments that is shown cut short. */
  readonly secret?: string;
}

/** Its standard output. @throws when it fails */
export async function run({ prompt, command, args, env, quiet, secret }: Run): Promise<string> {
  const line = [command, ...args].join(' ');
  const shown = secret === undefined ? line : line.replace(secret, `${secret.slice(0, 24)}…`);
  process.stdout.write(`   [${prompt}]$ ${shown}\n`);
  const isPiped = quiet || !process.stdout.isTTY;
  const [program, ...before] = COMMANDS[command].map((path) => join(ROOT, path));
  if (program === undefined) throw new Error(`there is no command ${command}`);
  const child = spawn(program, [...before, ...args], {
    stdio: ['ignore', isPiped ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    env: { PATH: process.env['PATH'], TERM: process.env['TERM'], ...env },
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
    if (!quiet) process.stdout.write(chunk);
  });
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${shown} ended with status ${code}\n${complaints}`);
  return output;
}

/** What `triton` and `triton-image` know of a person and a datacenter. */
export function tritonEnv(person: Person, url: string): Record<string, string> {
  return { HOME: person.home, TRITON_URL: url, TRITON_ACCOUNT: person.login, TRITON_KEY_ID: person.keyId };
}
