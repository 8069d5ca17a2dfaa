/** How a command ends when it does not succeed. */
import { redact } from '#lib/text/redact.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** What the user is told, and the exit status. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Further lines, each about one part of it. */
  readonly details: readonly string[];
  readonly exitCode: ExitCode;
}

export interface CommandErrorOptions extends ErrorOptions {
  readonly code: string;
  /** Default {@link EXIT.failed}. */
  readonly exitCode?: ExitCode;
  readonly details?: readonly string[];
}

/** A failure that a command itself finds. */
export class CommandError extends Error implements Failure {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly details: readonly string[];
  readonly exitCode: ExitCode;

  constructor(message: string, options: CommandErrorOptions) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.details = (options.details ?? []).map(redact);
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** The command line is wrong. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { code: 'Usage', exitCode: EXIT.usage });
}
