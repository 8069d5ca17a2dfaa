/** Runs a program as this process: its arguments, its standard streams, its exit status. */
import { processOutput } from '../output/output.ts';
import type { Program } from './command.ts';
import { runProgram } from './program.ts';

export async function runAsProcess<Context>(program: Program<Context>): Promise<void> {
  const interrupted = new AbortController();
  // The second Ctrl-C ends the process whatever it does.
  process.once('SIGINT', () => interrupted.abort());
  const { argv, env } = process;
  // The event loop runs out by itself, so that what was written last still gets through a pipe.
  process.exitCode = await runProgram(program, argv.slice(2), {
    output: processOutput(),
    env,
    signal: interrupted.signal,
  });
}
