/** The manual page of a program of several commands, of what its table of commands says. */
import { type Arguments, spellArgument } from '../../cli/framework/arguments.ts';
import type { Command, Program } from '../../cli/framework/command.ts';
import { EXIT_MEANINGS } from '../../cli/framework/exit-codes.ts';
import { programOptions } from '../../cli/framework/find-command.ts';
import type { OptionSpec, Options } from '../../cli/framework/options.ts';
import { argument, page, prose, type Section, tagged } from './mdoc.ts';

export function programPage<Context>(
  program: Program<Context>,
  { section, date, seeAlso }: { readonly section: Section; readonly date: Date; readonly seeAlso: readonly string[] },
): string {
  const { name, summary, version, environment = {}, commands } = program;
  return page({
    ...{ name, section, summary, version, date },
    parts: {
      SYNOPSIS: ['.Nm', '.Op Ar options', '.Ar command', '.Op Ar arguments'],
      DESCRIPTION: [
        ...prose('Every command takes these options, before its name or after it:'),
        ...tagged(optionEntries(programOptions(program))),
      ],
      COMMANDS: commands.flatMap((command) => commandPart(command)),
      ENVIRONMENT: tagged(Object.entries(environment).map(([variable, text]) => [`Ev ${variable}`, text])),
      'EXIT STATUS': tagged(EXIT_MEANINGS.map(([code, meaning]) => [`Er ${code}`, meaning])),
      'SEE ALSO': seeAlso.map((other, index) => `.Xr ${other}${index < seeAlso.length - 1 ? ' ,' : ''}`),
    },
  });
}

function commandPart<Context>(command: Command<Context>): string[] {
  const { name, aliases = [], summary, description = [], options, examples } = command;
  const others = aliases.map((alias) => `.Pp\nAlso:\n.Nm\n.Cm ${argument(alias)}`);
  return [
    `.Ss ${argument([name, ...aliases].join(', '))}`,
    '.Nm',
    `.Cm ${argument(name)}`,
    '.Op Ar options',
    ...argumentLine(command.arguments),
    ...['.Pp', ...prose(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)],
    ...description.flatMap((paragraph) => ['.Pp', ...prose(paragraph)]),
    ...others,
    ...tagged(Object.entries(command.arguments).map(([term, { help }]) => [`Ar ${term}`, help])),
    ...tagged(optionEntries(options)),
    ...examples.flatMap((example) => [
      '.Pp',
      ...prose(`Example, ${example.what}:`),
      `.Dl ${argument(example.command)}`,
    ]),
  ];
}

function argumentLine(specs: Arguments): string[] {
  return Object.entries(specs).map(([name, spec]) => `.Ar ${argument(spellArgument(name, spec))}`);
}

function optionEntries(options: Options): (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => [optionTag(name, spec), spec.help]);
}

function optionTag(name: string, { type, short, value = 'VALUE' }: OptionSpec): string {
  const long = name.length === 1 ? `Fl ${name}` : `Fl -${name}`;
  const names = short === undefined ? long : `Fl ${short} , ${long}`;
  return type === 'flag' ? names : `${names} Ar ${argument(value)}`;
}
