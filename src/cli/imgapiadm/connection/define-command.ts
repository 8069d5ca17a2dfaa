/** The commands that talk to one server. */
import type { Arguments } from '../../framework/arguments.ts';
import type { Command, CommandSpec } from '../../framework/command.ts';
import type { Options } from '../../framework/options.ts';
import type { Connection } from './connection.ts';

export type ServerCommand = Command<Connection>;

/** Lets the compiler derive the types of the values from the declared options and arguments. */
export function defineCommand<const O extends Options, const A extends Arguments>(
  spec: CommandSpec<Connection, O, A>,
): ServerCommand {
  return spec as unknown as ServerCommand;
}
