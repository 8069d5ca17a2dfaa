/** Which values of a configuration are for nobody else to read, as etc/config.schema.json has it. */
import configSchema from '../../../etc/config.schema.json' with { type: 'json' };
import { isObject, type JsonObject } from './read-file.ts';

/** Paths of those that are given, such as `s3.secretAccessKey`, and of URLs with a password. */
export function secretsIn(given: JsonObject): string[] {
  return pathsBelow(given, '', secretKeys());
}

function pathsBelow(value: unknown, path: string, secrets: ReadonlySet<string>): string[] {
  if (typeof value === 'string') return URL.parse(value)?.password ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, at) => pathsBelow(item, `${path}[${at}]`, secrets));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const place = path === '' ? key : `${path}.${key}`;
    if (secrets.has(key) && typeof below === 'string' && below !== '') return [place];
    return pathsBelow(below, place, secrets);
  });
}

/** Their names, in whatever section: a secret in the wrong one is a secret too. */
function secretKeys(): ReadonlySet<string> {
  const { $defs } = configSchema as { $defs: Readonly<Record<string, unknown>> };
  const found = new Set<string>();
  const look = (rules: unknown): void => {
    if (!isObject(rules)) return;
    for (const [key, below] of Object.entries(isObject(rules['properties']) ? rules['properties'] : {})) {
      if (isSecret(below, $defs)) found.add(key);
    }
    for (const below of Object.values(rules)) look(below);
  };
  look(configSchema);
  return found;
}

/** What has a pattern as well is a URL, which is one only if there is a password in it. */
function isSecret(rules: unknown, definitions: Readonly<Record<string, unknown>>): boolean {
  if (!isObject(rules)) return false;
  const { $ref: ref } = rules;
  if (typeof ref === 'string') return isSecret(definitions[ref.replace(/^.*\//, '')], definitions);
  return rules['x-secret'] === true && rules['pattern'] === undefined;
}
