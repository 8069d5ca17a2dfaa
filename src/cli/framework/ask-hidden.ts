/** Asks for what nobody else is to read on the screen. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/**
 * The question is put on standard error, and what is typed is not shown.
 * @returns undefined when nobody sits at a terminal
 * @throws CommandError Interrupted on Ctrl-C, and at the end of the input
 */
export async function askHidden(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    return await new Promise<string>((answered, failed) => {
      const left = (): void =>
        failed(new CommandError('interrupted', { code: 'Interrupted', exitCode: EXIT.interrupted }));
      lines.once('SIGINT', left);
      lines.once('close', left);
      lines.once('line', answered);
      // By then nothing that is typed is shown any more.
      stderr.write(question);
    });
  } finally {
    lines.close();
    stderr.write('\n');
  }
}
