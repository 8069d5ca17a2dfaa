/** Which command a command line names, and what is left of the line for it. */

import { suggestion } from '#lib/text/suggest.ts';
import type { Command, Program } from './command.ts';
import { usageError } from './errors.ts';
import { COMMON_OPTIONS, type Options, spellOption } from './options.ts';
import { specOf, type Token, tokensOf } from './parse-options.ts';

export interface FoundCommand<Context> {
  /** Absent when the line names none. */
  readonly command: Command<Context> | undefined;
  /** Without the words that name the command. */
  readonly rest: readonly string[];
}

/** Of the program itself; `version` only where no command is named. */
export function programOptions<Context>(program: Program<Context>): Options {
  return { ...program.options, ...COMMON_OPTIONS, version: { type: 'flag', help: 'Show the version.' } };
}

/** @throws CommandError of usage when there is no such command */
export function findCommand<Context>(program: Program<Context>, args: readonly string[]): FoundCommand<Context> {
  const options = programOptions(program);
  const tokens = tokensOf(args, options);
  const first = tokens.find((token) => token.kind === 'positional');
  for (const token of tokens) {
    // What follows the command is its own business.
    if (first && token.index >= first.index) break;
    if (token.kind === 'option') specOf(token, options);
  }
  if (!first) return { command: undefined, rest: args };
  const before = longForm(tokens.filter(({ index }) => index < first.index));
  const after = args.slice(first.index + 1);
  const second = after[0];
  const longer = second === undefined ? undefined : commandNamed(program, `${first.value} ${second}`);
  if (longer) return { command: longer, rest: [...before, ...after.slice(1)] };
  const command = commandNamed(program, first.value);
  if (command) return { command, rest: [...before, ...after] };
  throw unknownCommand(program, first.value, second);
}

/** Before the command's name a letter is the program's, though the command may have another use for it. */
function longForm(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => {
    if (token.kind !== 'option') return [];
    const { rawName, name, value, inlineValue } = token;
    const long = rawName.startsWith('--') ? rawName : spellOption(name);
    if (value === undefined) return [long];
    return inlineValue ? [`${long}=${value}`] : [long, value];
  });
}

export function commandNamed<Context>(program: Program<Context>, name: string): Command<Context> | undefined {
  return program.commands.find((command) => command.name === name || command.aliases?.includes(name));
}

/** @param next the word after it, which may be the rest of the name */
export function unknownCommand<Context>(program: Program<Context>, name: string, next?: string): Error {
  const names = program.commands.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
  const longer = names.filter((other) => other.startsWith(`${name} `));
  if (longer.length > 0) {
    const typed = `${name} ${next ?? ''}`.trimEnd();
    const meant = next === undefined ? '' : suggestion(typed, longer);
    if (meant !== '') return usageError(`unknown command ${JSON.stringify(typed)}${meant}`);
    return usageError(`${JSON.stringify(name)} is no command by itself; there is ${longer.join(', ')}`);
  }
  return usageError(`unknown command ${JSON.stringify(name)}${suggestion(name, names)}`);
}
