/** What may come next on a command line that is not complete yet, by what the program's table of commands says. */
import type { Arguments } from '../arguments.ts';
import type { Command, Program } from '../command.ts';
import { commandNamed, programOptions } from '../find-command.ts';
import { COMMON_OPTIONS, type Options, spellOption, withoutShorts } from '../options.ts';

export interface Candidates {
  /** With what is said of each. */
  readonly words: readonly (readonly [word: string, help: string])[];
  /** A name of a file may stand there as well. */
  readonly files: boolean;
}

const NOTHING: Candidates = { words: [], files: false };
/** What arguments and values of options are called that are names of files. */
const FILES: ReadonlySet<string> = new Set(['FILE', 'DIR', 'SOURCE']);

/** @param typed the words after the program's name; the last is the one that is being typed, and may be empty */
export function candidates<Context>(program: Program<Context>, typed: readonly string[]): Candidates {
  // Bash takes `--files=DIR` for three words.
  const words = typed.filter((word, index) => word !== '=' || index === typed.length - 1);
  const current = words.at(-1) === '=' ? '' : (words.at(-1) ?? '');
  const { words: found, files } = next(program, words.slice(0, -1), current);
  return { words: found.filter(([word]) => word.startsWith(current)), files };
}

function next<Context>(program: Program<Context>, before: readonly string[], current: string): Candidates {
  const { command, given, options, open } = readSoFar(program, before);
  if (open !== undefined) return { words: [], files: FILES.has(open) };
  if (before[0] === 'help') return { words: commandWords(program, before.slice(1)), files: false };
  if (current.startsWith('-')) return { words: optionWords(options), files: false };
  if (!command) return { words: [...commandWords(program, given), ...helpWord(given)], files: false };
  const longer = given.length === 0 ? commandWords(program, [command.name]) : [];
  const { words, files } = argumentWords(command.arguments, given.length);
  return { words: [...longer, ...words], files };
}

interface SoFar<Context> {
  readonly command: Command<Context> | undefined;
  /** Words that are neither options nor name the command. */
  readonly given: readonly string[];
  readonly options: Options;
  /** What the value is called that the last word, an option, waits for. */
  readonly open: string | undefined;
}

function readSoFar<Context>(program: Program<Context>, before: readonly string[]): SoFar<Context> {
  let options = programOptions(program);
  let command: Command<Context> | undefined;
  let open: string | undefined;
  let given: string[] = [];
  for (const word of before) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith('-')) open = openValue(word, options);
    else {
      const name: string = command ? `${command.name} ${word}` : word;
      const named: Command<Context> | undefined = given.length === 0 ? commandNamed(program, name) : undefined;
      if (named) [command, options] = [named, commandOptions(program, named)];
      else given = [...given, word];
    }
  }
  return { command, given, options, open };
}

function commandOptions<Context>(program: Program<Context>, command: Command<Context>): Options {
  return { ...command.options, ...withoutShorts({ ...program.options, ...COMMON_OPTIONS }, command.options) };
}

/** What the value of an option is called, if it is the next word. */
function openValue(word: string, options: Options): string | undefined {
  const [, spec] =
    Object.entries(options).find(
      ([name, { short }]) => word === spellOption(name) || (short !== undefined && word === `-${short}`),
    ) ?? [];
  return spec === undefined || spec.type === 'flag' ? undefined : (spec.value ?? 'VALUE');
}

/** The words that may follow some others in the names of commands. */
function commandWords<Context>(
  { commands }: Program<Context>,
  before: readonly string[],
): (readonly [string, string])[] {
  const beginning = before.map((word) => `${word} `).join('');
  const found = new Map<string, string>();
  for (const { name, aliases = [], summary } of commands) {
    for (const spelt of [name, ...aliases].filter((one) => one.startsWith(beginning))) {
      const [word = ''] = spelt.slice(beginning.length).split(' ');
      const isWhole = beginning + word === spelt;
      if (isWhole || !found.has(word)) found.set(word, summary);
    }
  }
  return [...found];
}

function helpWord(given: readonly string[]): (readonly [string, string])[] {
  return given.length === 0 ? [['help', 'show the help of a command']] : [];
}

function optionWords(options: Options): (readonly [string, string])[] {
  return Object.entries(options).map(([name, { help }]) => [spellOption(name), help]);
}

function argumentWords(specs: Arguments, index: number): Candidates {
  const [name, spec] = Object.entries(specs)[index] ?? Object.entries(specs).at(-1) ?? [];
  if (name === undefined || spec === undefined) return NOTHING;
  const isOver = index >= Object.keys(specs).length && spec.count !== 'some' && spec.count !== 'any';
  if (isOver) return NOTHING;
  return { words: (spec.choices ?? []).map((choice) => [choice, spec.help]), files: FILES.has(name) };
}
