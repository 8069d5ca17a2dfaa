/** The help of a program and of its commands. */
import { type Arguments, spellArgument } from './arguments.ts';
import type { Command, Program } from './command.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { programOptions } from './find-command.ts';
import { COMMON_OPTIONS, type OptionSpec, type Options, withoutShorts } from './options.ts';

const WIDTH = 80;
const INDENT = '    ';
/** Longer terms get their explanation on the next line. */
const TERM_WIDTH = 24;

/** Lines. */
export function programHelp<Context>(program: Program<Context>): string[] {
  const { name, summary, commands, environment = {} } = program;
  return [
    `${name} - ${summary}`,
    ...section('Usage', [`${name} [OPTIONS] COMMAND [ARGUMENTS]`, `${name} help COMMAND`]),
    ...section('Commands', terms(commands.map((command) => [namesOf(command), command.summary]))),
    ...section('Options', optionLines(programOptions(program))),
    ...section('Environment', terms(Object.entries(environment))),
    ...exitStatus(),
  ];
}

/** Lines. */
export function commandHelp<Context>(program: Program<Context>, command: Command<Context>): string[] {
  const { name, summary, description = [], options, examples } = command;
  const usage = [
    program.name,
    name,
    '[OPTIONS]',
    ...Object.entries(command.arguments).map((entry) => spellArgument(...entry)),
  ];
  return [
    `${program.name} ${name} - ${summary}`,
    ...section('Usage', [usage.join(' ')]),
    ...description.flatMap((paragraph) => ['', ...wrap(paragraph, WIDTH)]),
    ...(command.aliases ? ['', `Also: ${command.aliases.map((alias) => `${program.name} ${alias}`).join(', ')}`] : []),
    ...section('Arguments', argumentLines(command.arguments)),
    ...section('Options', optionLines(options)),
    ...section('Common options', optionLines(withoutShorts({ ...program.options, ...COMMON_OPTIONS }, options))),
    ...section(
      'Examples',
      examples.flatMap((example) => [`# ${example.what}`, example.command]),
    ),
    ...exitStatus(),
  ];
}

function exitStatus(): string[] {
  return section('Exit status', terms(EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning])));
}

function namesOf({ name, aliases = [] }: { readonly name: string; readonly aliases?: readonly string[] }): string {
  return [name, ...aliases].join(', ');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `${INDENT}${line}`)];
}

function argumentLines(specs: Arguments): string[] {
  return terms(Object.entries(specs).map(([name, { help }]) => [name, help]));
}

function optionLines(options: Options): string[] {
  return terms(Object.entries(options).map(([name, spec]) => [optionTerm(name, spec), spec.help]));
}

function optionTerm(name: string, { type, short, value = 'VALUE' }: OptionSpec): string {
  const names = name.length === 1 ? `-${name}` : `${short === undefined ? '   ' : `-${short},`} --${name}`;
  return type === 'flag' ? names : `${names} ${value}`;
}

function terms(entries: readonly (readonly [term: string, text: string])[]): string[] {
  const width = Math.min(TERM_WIDTH, Math.max(0, ...entries.map(([term]) => term.length)));
  const space = ' '.repeat(width + 2);
  return entries.flatMap(([term, text]) => {
    const [first = '', ...more] = wrap(text, WIDTH - INDENT.length - space.length);
    const head = term.length > width ? [term, `${space}${first}`] : [`${term.padEnd(width)}  ${first}`.trimEnd()];
    return [...head, ...more.map((line) => `${space}${line}`)];
  });
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
