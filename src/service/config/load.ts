/**
 * Loads the configuration: the defaults of etc/config.schema.json, overlaid key by key by the file, overlaid by the
 * caller's own keys. It reports all problems together, so that a file can be corrected in one go.
 */
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { notesOn } from './notes.ts';
import { isObject, type JsonObject, readConfigFile } from './read-file.ts';
import { asRendered } from './rendered.ts';
import { resolveConfig } from './resolve.ts';
import { checkRules } from './rules.ts';
import { applySchema } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** The keys that it is made of, as they were written. */
  readonly given: JsonObject;
  /** Paths of keys that the schema does not know, most often typing errors. */
  readonly unknownKeys: readonly string[];
  /** A line for each of them, with the key that was likely meant. */
  readonly unknownKeyProblems: readonly string[];
  /** Settings that are accepted but have no effect, a line for each. */
  readonly notes: readonly string[];
}

export interface LoadOptions {
  /** Unknown keys are problems. */
  readonly strict?: boolean;
}

/** Without a file: a private image server on this machine, without authentication. */
const WITHOUT_FILE: JsonObject = { mode: 'private', authType: 'none', dataDir: 'build/data' };

/**
 * @param overrides keys in the form of the file that win over it, nested objects key by key
 * @throws ConfigError with one line per problem
 */
export async function loadConfig(
  file?: string,
  overrides: JsonObject = {},
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  const given = overlay(file === undefined ? WITHOUT_FILE : await readConfigFile(file), overrides);
  const meant = asRendered(given);
  const from = file ?? 'configuration';
  const { value, problems, unknownKeys, unknownKeyProblems } = applySchema(meant);
  refuse(from, [...problems, ...(options.strict ? unknownKeyProblems : [])]);
  const config = resolveConfig(value);
  refuse(from, checkRules(config));
  return { config, given, unknownKeys, unknownKeyProblems, notes: notesOn(meant, config) };
}

function refuse(from: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigError(from, problems);
}

function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = result[key];
    result[key] = isObject(below) && isObject(value) ? overlay(below, value) : value;
  }
  return result;
}
