/** Runs the commands of a document, one after the other, as its reader would. */
import type { Test } from 'tap';
import { type Command, readCommands } from './blocks.ts';
import type { Answered, Shell } from './shells.ts';

export interface Setting {
  readonly file: string;
  /** By the prompt. What is said of commands below names them by their first line, without its comment. */
  readonly shells: Readonly<Record<string, Shell>>;
  /** What stands in the document for the reader's own values, with those of the test. Each must occur. */
  readonly values: Readonly<Record<string, string | (() => string)>>;
  /** What the test does itself, given the line with the values in it and whose shell it is for: it starts a server, or stops one. Each must occur. */
  readonly instead?: Readonly<Record<string, (line: string, shell: string) => Promise<void>>>;
  /** What has to be so before a command: what else a reader would do or wait for. Each must occur. */
  readonly before?: Readonly<Record<string, () => Promise<void>>>;
  /** Looks at what a command answered. Each must occur. */
  readonly after?: Readonly<Record<string, (answered: Answered) => void | Promise<void>>>;
  /** Why blocks of the document are not run. */
  readonly notRun?: readonly string[];
}

export async function runDocument(t: Test, setting: Setting): Promise<void> {
  const { file, shells, values, instead = {}, before = {}, after = {}, notRun = [] } = setting;
  const document = readCommands(file);
  t.strictSame(document.notRun, notRun, `${file}: the blocks that are not run`);
  const unused = new Set([values, instead, before, after].flatMap((keyed) => Object.keys(keyed)));
  for (const command of document.commands) {
    const { text, line } = command;
    const bare = text.split('\n')[0]?.replace(/ +#.*$/, '') ?? '';
    for (const name of [bare, ...Object.keys(values).filter((value) => text.includes(value))]) unused.delete(name);
    await before[bare]?.();
    const done = instead[bare];
    if (done) {
      await done(withValues(text, values), command.shell);
      continue;
    }
    const shell = shells[command.shell];
    if (!shell) throw new Error(`${file}:${line}: whose prompt is "${command.shell}$"?`);
    const typed = withValues(text, values);
    const answered = await shell.run(typed);
    const said = `${answered.stdout}${answered.stderr}`;
    t.equal(answered.status, 0, `${file}:${line}: ${text}`, { typed, said });
    const missing = missingLine(command, said);
    t.equal(missing, undefined, `${file}:${line}: ${text} answers what the document says`, { said });
    await after[bare]?.(answered);
  }
  t.strictSame([...unused], [], `${file}: everything that the test expects of it is there`);
}

function withValues(text: string, values: Setting['values']): string {
  let typed = text;
  // The longest first: one may be part of another.
  for (const name of Object.keys(values).toSorted((a, b) => b.length - a.length)) {
    const value = values[name];
    if (value === undefined || !typed.includes(name)) continue;
    typed = typed.replaceAll(name, typeof value === 'function' ? value() : value);
  }
  if (/…/.test(typed.replace(/ +#.*$/gm, ''))) throw new Error(`nothing was put in for … of: ${text}`);
  return typed;
}

/** The first line of the expected answer that did not come. Numbers and ids may differ, and the order of two streams. */
function missingLine({ answer }: Command, said: string): string | undefined {
  const lines = new Set(said.split('\n').map(withoutNumbers));
  return answer.find((line) => line !== '…' && !lines.has(withoutNumbers(line)));
}

function withoutNumbers(line: string): string {
  return line
    .trim()
    .replaceAll(/ +/g, ' ')
    .replaceAll(/\b[0-9a-f]{8}\b/g, 'ID')
    .replaceAll(/[\d.:]*\d/g, 'N')
    .replaceAll(/N ([KMG]i)?B\b/g, 'SIZE');
}
