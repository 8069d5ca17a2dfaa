/** Standard streams that keep what is written, and a program run on them. */
import { EventEmitter } from 'node:events';
import type { Environment, Program } from '#src/cli/framework/command.ts';
import { runProgram } from '#src/cli/framework/program.ts';
import { imgapiadm } from '#src/cli/imgapiadm/program.ts';
import { Output, type Sink } from '#src/cli/output/output.ts';

export class CapturedSink extends EventEmitter implements Sink {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows = 24;

  constructor(isTTY = false, columns = 100) {
    super();
    this.columns = columns;
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
    this.emit('written');
  }

  /** Resolves once `pattern` was written. */
  async wrote(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise((resolve) => this.once('written', resolve));
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  readonly stdout?: CapturedSink;
  readonly stderr?: CapturedSink;
}

export async function runCaptured<Context>(
  program: Program<Context>,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { stdout = new CapturedSink(), stderr = new CapturedSink(), env = {} } = options;
  const signal = options.signal ?? new AbortController().signal;
  const code = await runProgram(program, args, { output: new Output(stdout, stderr), env, signal });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** What `--json` answered. */
export function jsonLines(stdout: string): unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

export function runImgapiadm(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return runCaptured(imgapiadm, args, options);
}
