/** An error as the log has it. bunyan's own form leaves out the causes of an error, which say which file or address it was. */
import { inspect } from 'node:util';

/** An error may be its own cause. */
const MOST_CAUSES = 8;

export function errorRecord(error: unknown): unknown {
  if (!(error instanceof Error) || error.stack === undefined) return error;
  const { message, name, code, signal } = error as NodeJS.ErrnoException & { readonly signal?: unknown };
  const [stack, ...causes] = chainOf(error);
  return { message, name, stack: [stack, ...causes.map((cause) => `Caused by: ${cause}`)].join('\n'), code, signal };
}

function chainOf(error: Error): string[] {
  const texts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && texts.length <= MOST_CAUSES; at = causeOf(at)) {
    texts.push(at instanceof Error ? (at.stack ?? String(at)) : inspect(at));
  }
  return texts;
}

/** VError's causes are functions. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'function' ? cause.call(error) : cause;
}
