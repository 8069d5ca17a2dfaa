/** The commands that talk to CloudAPI. */
import type { Arguments } from '../framework/arguments.ts';
import type { Command, CommandSpec } from '../framework/command.ts';
import type { Options } from '../framework/options.ts';
import type { Session } from './session.ts';

/** Lets the compiler derive the types of the values from the declared options and arguments. */
export function defineCommand<const O extends Options, const A extends Arguments>(
  spec: CommandSpec<Session, O, A>,
): Command<Session> {
  return spec as unknown as Command<Session>;
}
