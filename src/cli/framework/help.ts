/** The help of a program and of its commands. */
import { spellArgument } from './arguments.ts';
import type { Command, Environment, Program } from './command.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { programOptions } from './find-command.ts';
import { COMMON_OPTIONS, type OptionSpec, type Options, withoutShorts } from './options.ts';

/** Longer lines are hard to read, however wide the terminal is. */
const WIDEST = 80;
/** Nothing is made narrower: there would be a word on each line. */
const NARROWEST = 40;
const INDENT = '    ';
/** Longer terms get their explanation on the next line. */
const TERM_WIDTH = 24;
/** A narrower help leaves more of each line to explanations. */
const NARROW = 72;

/** @param terminal its columns; undefined for none. `COLUMNS` goes before it. */
export function helpWidth({ COLUMNS: told = '' }: Environment, terminal: number | undefined): number {
  const columns = /^[1-9]\d{0,4}$/.test(told) ? Number(told) : (terminal ?? WIDEST);
  return Math.min(WIDEST, Math.max(NARROWEST, columns));
}

/** Lines of so many columns, but for single words that are longer, and for command lines, which are there to be copied. */
export function programHelp<Context>(program: Program<Context>, width: number): string[] {
  const { name, summary, commands, environment = {} } = program;
  const { terms, optionLines, exitStatus } = writer(width);
  return [
    ...hanging(`${name} - ${summary}`, width),
    ...section(
      'Usage',
      [`${name} [OPTIONS] COMMAND [ARGUMENTS]`, `${name} help COMMAND`].flatMap((line) =>
        hanging(line, width - INDENT.length),
      ),
    ),
    ...section('Commands', terms(commands.map((command) => [namesOf(command), command.summary]))),
    ...section('Options', optionLines(programOptions(program))),
    ...section('Environment', terms(Object.entries(environment))),
    ...exitStatus(),
  ];
}

/** As {@link programHelp}. */
export function commandHelp<Context>(program: Program<Context>, command: Command<Context>, width: number): string[] {
  const { name, summary, description = [], aliases, options, examples } = command;
  const { terms, optionLines, exitStatus } = writer(width);
  const also = (aliases ?? []).map((alias) => `${program.name} ${alias}`);
  const inner = width - INDENT.length;
  const usage = [
    program.name,
    name,
    '[OPTIONS]',
    ...Object.entries(command.arguments).map((entry) => spellArgument(...entry)),
  ];
  return [
    ...hanging(`${program.name} ${name} - ${summary}`, width),
    ...section('Usage', hanging(usage.join(' '), inner)),
    ...description.flatMap((paragraph) => ['', ...wrap(paragraph, width)]),
    ...(also.length > 0 ? ['', ...hanging(`Also: ${also.join(', ')}`, width)] : []),
    ...section('Arguments', terms(Object.entries(command.arguments).map(([argument, { help }]) => [argument, help]))),
    ...section('Options', optionLines(options)),
    ...section('Common options', optionLines(withoutShorts({ ...program.options, ...COMMON_OPTIONS }, options))),
    ...section(
      'Examples',
      examples.flatMap(({ what, command: line }) => [...wrap(what, inner - 2).map((part) => `# ${part}`), line]),
    ),
    ...exitStatus(),
  ];
}

function namesOf({ name, aliases = [] }: { readonly name: string; readonly aliases?: readonly string[] }): string {
  return [name, ...aliases].join(', ');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `${INDENT}${line}`)];
}

function optionTerm(name: string, { type, short, value = 'VALUE' }: OptionSpec): string {
  const names = name.length === 1 ? `-${name}` : `${short === undefined ? '   ' : `-${short},`} --${name}`;
  return type === 'flag' ? names : `${names} ${value}`;
}

/** What has explanations, in so many columns. */
function writer(width: number) {
  function terms(entries: readonly (readonly [term: string, text: string])[]): string[] {
    const most = width < NARROW ? Math.floor(width / 4) : TERM_WIDTH;
    const column = Math.min(most, Math.max(0, ...entries.map(([term]) => term.length)));
    const space = ' '.repeat(column + 2);
    return entries.flatMap(([term, text]) => {
      const [first = '', ...more] = wrap(text, width - INDENT.length - space.length);
      const head = term.length > column ? [term, `${space}${first}`] : [`${term.padEnd(column)}  ${first}`.trimEnd()];
      return [...head, ...more.map((line) => `${space}${line}`)];
    });
  }
  return {
    terms,
    optionLines: (options: Options): string[] =>
      terms(Object.entries(options).map(([name, spec]) => [optionTerm(name, spec), spec.help])),
    exitStatus: (): string[] =>
      section('Exit status', terms(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]))),
  };
}

/** What does not fit goes on below, further in. */
function hanging(text: string, width: number): string[] {
  const [first = ''] = wrap(text, width);
  const rest = text.slice(first.length + 1);
  return rest === '' ? [first] : [first, ...wrap(rest, width - INDENT.length).map((line) => `${INDENT}${line}`)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
