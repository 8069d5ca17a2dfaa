/**
 * The rules for the keys that a configuration has, and the defaults of the others. Every process begins by compiling rules, and
 * those of all keys, of which few are ever given, took a tenth of its start.
 */
import { isObject, type JsonObject } from './read-file.ts';

/** Of a JSON schema, what decides about defaults. */
export interface Rules {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Rules>>;
  readonly properties?: Readonly<Record<string, Rules>>;
  readonly default?: unknown;
}

/** The same schema, in which anything is right for the keys that were not given. */
export function partOf(schema: Rules, given: ReadonlySet<string>): object {
  const properties = Object.entries(schema.properties ?? {}).map(([key, rules]) => [
    key,
    given.has(key) ? rules : true,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The defaults of the keys at the top that were not given. @param shared the definitions that other files refer to */
export function defaultsBeside(given: ReadonlySet<string>, schema: Rules, shared: Rules): JsonObject {
  const definitions = (ref: string) => (ref.startsWith('#') ? schema : shared).$defs?.[ref.replace(/^.*\//, '')] ?? {};
  const filled = (value: unknown, { properties }: Rules, except?: ReadonlySet<string>): unknown => {
    if (!isObject(value) || !properties) return value;
    const result: Record<string, unknown> = { ...value };
    for (const [key, rules] of Object.entries(properties)) {
      if (except?.has(key)) continue;
      const found = result[key] === undefined ? structuredClone(rules.default) : result[key];
      if (found !== undefined) result[key] = filled(found, rules.$ref === undefined ? rules : definitions(rules.$ref));
    }
    return result;
  };
  return filled({}, schema, given) as JsonObject;
}
