/** Runs one command line of a program. */
import { type Output, OutputError, ReaderGoneError } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { assignArguments } from './arguments.ts';
import type { Command, Invocation, Program, ProgramSpec, Surroundings } from './command.ts';
import { candidates } from './completion/candidates.ts';
import { COMPLETE, spelt } from './completion/scripts.ts';
import { CommandError, type Failure, usageError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { commandNamed, findCommand, programOptions, unknownCommand } from './find-command.ts';
import { commandHelp, helpWidth, programHelp } from './help.ts';
import { COMMON_OPTIONS, type Options, withoutShorts } from './options.ts';
import { parseOptions, tokensOf } from './parse-options.ts';

/** Lets the compiler derive the types of the values from the declared options. */
export function defineProgram<Context, const G extends Options>(spec: ProgramSpec<Context, G>): Program<Context> {
  return spec as unknown as Program<Context>;
}

/** Never rejects: every failure is told on standard error. */
export async function runProgram<Context>(
  program: Program<Context>,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { output, signal } = surroundings;
  try {
    const exitCode = await dispatch(program, args, surroundings);
    output.closed.throwIfAborted();
    return exitCode;
  } catch (error) {
    const cause = output.closed.aborted ? output.closed.reason : error;
    // A reader that closes the pipe early, as head does, has seen enough.
    if (cause instanceof ReaderGoneError) return EXIT.ok;
    if (signal.aborted && isAbort(cause, signal)) return EXIT.interrupted;
    return report(program, output, cause);
  }
}

async function dispatch<Context>(
  program: Program<Context>,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { output } = surroundings;
  try {
    if (args[0] === COMPLETE) {
      for (const line of spelt(candidates(program, args.slice(1)))) output.line(line);
      return EXIT.ok;
    }
    if (args[0] === 'help') return help(program, args.slice(1).join(' '), surroundings);
    const { command, rest } = findCommand(program, args);
    if (command) return await runCommand(program, command, rest, surroundings);
    const { options } = parseOptions(rest, programOptions(program));
    if (options['version']) output.line(`${program.name} ${program.version}`);
    else if (options['help']) return help(program, '', surroundings);
    else throw usageError('no command given');
    return EXIT.ok;
  } catch (error) {
    throw withHint(error, `${program.name} help`);
  }
}

function help<Context>(program: Program<Context>, name: string, { output, env }: Surroundings): ExitCode {
  const command = commandNamed(program, name);
  if (name !== '' && !command) throw unknownCommand(program, name);
  const width = helpWidth(env, output.width);
  output.line((command ? commandHelp(program, command, width) : programHelp(program, width)).join('\n'));
  return EXIT.ok;
}

async function runCommand<Context>(
  program: Program<Context>,
  command: Command<Context>,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { output, env, signal } = surroundings;
  const shared = withoutShorts({ ...program.options, ...COMMON_OPTIONS }, command.options);
  const specs = { ...command.options, ...shared };
  // A request for help is answered even where the rest of the line is wrong.
  if (tokensOf(args, specs).some((token) => token.kind === 'option' && token.name === 'help')) {
    return help(program, command.name, surroundings);
  }
  try {
    const { options, positionals } = parseOptions(args, specs);
    const beginning = `${command.name} `;
    const longer = program.commands.flatMap(({ name }) =>
      name.startsWith(beginning) ? [name.slice(beginning.length)] : [],
    );
    const values = assignArguments(command.arguments, positionals, longer);
    const context = program.open(options as Parameters<typeof program.open>[0], env);
    try {
      const invocation = {
        options,
        arguments: values,
        json: options['json'] === true,
        output,
        context,
        signal: AbortSignal.any([signal, output.closed]),
      } as unknown as Invocation<Context>;
      return (await command.run(invocation)) ?? EXIT.ok;
    } finally {
      await program.close(context);
    }
  } catch (error) {
    throw withHint(error, `${program.name} ${command.name} --help`);
  }
}

function withHint(error: unknown, help: string): unknown {
  if (!(error instanceof CommandError) || error.exitCode !== EXIT.usage || error.details.length > 0) return error;
  return new CommandError(error.message, {
    code: error.code,
    exitCode: error.exitCode,
    details: [`see: ${help}`],
    cause: error,
  });
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

function report<Context>(program: Program<Context>, output: Output, error: unknown): ExitCode {
  const { code, message, details, exitCode } = failureOf(program, error);
  output.note(printable(`${program.name}: error (${code}): ${message}`));
  for (const detail of details) output.note(`    ${printable(detail)}`);
  return exitCode;
}

function failureOf<Context>(program: Program<Context>, error: unknown): Failure {
  if (error instanceof CommandError) return error;
  if (error instanceof OutputError) {
    return { code: 'Output', message: error.message, details: [], exitCode: EXIT.failed };
  }
  const known = program.explain(error);
  if (known) return known;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    code: 'Internal',
    message,
    details: (stack ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim()),
    exitCode: EXIT.failed,
  };
}
