/** Reads a configuration file: JSON, one object. */
import { readFile } from 'node:fs/promises';
import { decodeUtf8, JsonError, parseJsonText, withoutMark } from '#lib/text/json.ts';
import { ConfigError } from './config-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const READ_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a directory, not a file',
  EACCES: 'this process may not read the file',
};

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws ConfigError when the file cannot be read, is not JSON (naming line and column) or holds no object */
export async function readConfigFile(file: string): Promise<JsonObject> {
  const text = await readText(file);
  const value = parse(file, text);
  if (!isObject(value)) throw new ConfigError(file, ['the file must hold one JSON object, { "key": value, ... }']);
  return value;
}

async function readText(file: string): Promise<string> {
  try {
    return withoutMark(decodeUtf8(await readFile(file)));
  } catch (err) {
    if (err instanceof JsonError) throw new ConfigError(file, [`the file is ${err.message}`], { cause: err });
    const { code, message } = err as NodeJS.ErrnoException;
    throw new ConfigError(file, [READ_PROBLEMS[code ?? ''] ?? message], { cause: err });
  }
}

function parse(file: string, text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (err) {
    const { message, cause } = err as JsonError;
    if (!(cause instanceof SyntaxError)) throw new ConfigError(file, [`the file is ${message}`], { cause: err });
    throw new ConfigError(file, [`not valid JSON at ${place(cause.message, text)}: ${reason(cause.message)}`], {
      cause: err,
    });
  }
}

/** V8 names the offset in its message, except where the text just ends. */
function place(message: string, text: string): string {
  const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? text.trimEnd().length);
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function reason(message: string): string {
  return message.replace(/ in JSON at position .*$/s, '').replace(/, "[\s\S]*is not valid JSON$/, '');
}
