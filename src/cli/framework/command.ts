/** What a program of several commands is made of. `Context` is what all its commands share, such as a connection. */
import type { Output } from '../output/output.ts';
import type { Arguments, ArgumentValues } from './arguments.ts';
import type { Failure } from './errors.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Options, OptionValues } from './options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One run of a command. */
export interface Invocation<Context, O extends Options = Options, A extends Arguments = Arguments> {
  readonly options: OptionValues<O>;
  readonly arguments: ArgumentValues<A>;
  /** One JSON document instead of text for people; a line for each where things come one by one. */
  readonly json: boolean;
  readonly output: Output;
  readonly context: Context;
  /** Aborts when the user interrupts the command, or nobody reads its output any more. */
  readonly signal: AbortSignal;
}

export interface Example {
  readonly command: string;
  readonly what: string;
}

export interface CommandSpec<Context, O extends Options, A extends Arguments> {
  /** One word, or two for a command about another's subject, such as `copies cancel`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line without a stop, for the list of commands. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description?: readonly string[];
  readonly arguments: A;
  readonly options: O;
  readonly examples: readonly Example[];
  /** Answers nothing for success. */
  run(invocation: Invocation<Context, O, A>): Promise<ExitCode | undefined>;
}

export type Command<Context> = CommandSpec<Context, Options, Arguments>;

export interface ProgramSpec<Context, G extends Options> {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  /** Taken by every command, before its name or after it. */
  readonly options: G;
  readonly commands: readonly Command<Context>[];
  /** What the help says of environment variables, by their name. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Makes what the commands share, for one run. */
  open(options: OptionValues<G>, env: Environment): Context;
  close(context: Context): Promise<void>;
  /** What the user is told about an error that is not a CommandError. */
  explain(error: unknown): Failure | undefined;
}

export type Program<Context> = ProgramSpec<Context, Options>;

/** Where a program runs. */
export interface Surroundings {
  readonly output: Output;
  readonly env: Environment;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}
