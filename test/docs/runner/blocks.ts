/**
 * The commands of a document: what its fenced blocks without a language tell a reader to type, in order.
 *
 * In a block with prompts (`$ `, `alice$ `, `us-sw-1$ `) each is a command of its own, to its last line that ends in a
 * backslash, and the lines below it are what it answers. A block without prompts is one script. A block below a line
 * `*Not run by the tests: WHY.*` is left alone, and readers see why.
 */
import { readFileSync } from 'node:fs';

export interface Command {
  /** In the document. */
  readonly line: number;
  /** Whose shell it is typed in; '' is that of who reads the document. */
  readonly shell: string;
  readonly text: string;
  /** Lines of which `…` stands for any number of others. */
  readonly answer: readonly string[];
}

export interface Document {
  readonly commands: readonly Command[];
  /** Why blocks are not run. */
  readonly notRun: readonly string[];
}

/** What the first block of JSON in a document holds. */
export function readJson(file: string): unknown {
  const [, text] = /^```json\n(.*?)^```/ms.exec(readFileSync(file, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`${file} has no block of JSON`);
  return JSON.parse(text);
}

interface Block {
  readonly line: number;
  readonly lines: readonly string[];
  readonly notRun: string | undefined;
}

const PROMPT = /^([\w@-]*)\$ (.*)$/;

export function readCommands(file: string): Document {
  const blocks = blocksOf(readFileSync(file, 'utf8'));
  return {
    commands: blocks.filter(({ notRun }) => notRun === undefined).flatMap(commandsOf),
    notRun: blocks.flatMap(({ notRun }) => notRun ?? []),
  };
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; lines: string[]; isCommands: boolean; notRun: string | undefined } | undefined;
  let above = '';
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```(\w*) *$/.exec(line);
    if (!fence) {
      if (open) open.lines.push(line);
      else if (line.trim() !== '') above = line;
    } else if (!open) {
      const notRun = /^\*Not run by the tests: (.+)\.\*$/.exec(above)?.[1];
      open = { line: index + 2, lines: [], isCommands: fence[1] === '', notRun };
    } else {
      if (open.isCommands) blocks.push(open);
      open = undefined;
      above = '';
    }
  }
  return blocks;
}

function commandsOf({ line, lines }: Block): Command[] {
  if (!lines.some((text) => PROMPT.test(text))) return [{ line, shell: '', text: lines.join('\n'), answer: [] }];
  const commands: { line: number; shell: string; text: string; answer: string[] }[] = [];
  for (const [index, text] of lines.entries()) {
    const [, shell, typed] = PROMPT.exec(text) ?? [];
    const last = commands.at(-1);
    if (shell !== undefined && typed !== undefined) {
      commands.push({ line: line + index, shell, text: typed, answer: [] });
    } else if (last?.text.endsWith('\\')) last.text += `\n${text}`;
    else if (last && text !== '') last.answer.push(text);
    else if (text !== '') throw new Error(`line ${line + index} answers no command: ${text}`);
  }
  return commands;
}
