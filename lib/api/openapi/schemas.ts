/** The schemas of rows as a document has them: each named one stands once, among the components. */
import type { TSchema } from 'typebox';
import { WORDS } from '../wording.ts';

export type Json = Record<string, unknown>;

/** Our own keywords, which are no part of JSON Schema. */
const OWN: ReadonlySet<string> = new Set(WORDS);
/** The pattern of a TypeBox record whose keys may be anything. */
const ANY_KEY = '^.*$';

export class Schemas {
  readonly #named: Readonly<Record<string, TSchema>>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #used = new Set<string>();

  constructor(named: Readonly<Record<string, TSchema>>) {
    this.#named = named;
    // TypeBox copies the schema of an optional property, so schemas are compared by content.
    this.#names = new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(schema), name]));
  }

  /** A reference if the schema has a name, otherwise the schema itself. */
  of(schema: unknown): Json {
    const name = this.#names.get(JSON.stringify(schema));
    if (name === undefined) return this.#written(schema as Json);
    this.#used.add(name);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** One schema that allows any of these, without duplicates. */
  anyOf(schemas: readonly unknown[]): Json {
    const distinct = new Map(schemas.map((schema) => [JSON.stringify(schema), schema]));
    const [only] = distinct.values();
    return distinct.size === 1 ? this.of(only) : { anyOf: [...distinct.values()].map((schema) => this.of(schema)) };
  }

  /** By name: the schemas that were referred to so far, and those that these refer to. */
  components(): Json {
    const written = new Map<string, Json>();
    for (const name of this.#used) written.set(name, this.#written(this.#named[name] as unknown as Json));
    return Object.fromEntries([...written].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #written(schema: Json): Json {
    const entries = Object.entries(schema).filter(([keyword]) => !OWN.has(keyword));
    return Object.assign({}, ...entries.map(([keyword, value]) => this.#keyword(keyword, value)));
  }

  #keyword(keyword: string, value: unknown): Json {
    switch (keyword) {
      case 'format':
        return { format: value === 'lower-case-uuid' ? 'uuid' : value };
      case 'properties':
        return { properties: this.#each(value as Json) };
      case 'patternProperties': {
        const { [ANY_KEY]: any, ...patterns } = value as Json;
        return {
          ...(any !== undefined && { additionalProperties: this.of(any) }),
          ...(Object.keys(patterns).length > 0 && { patternProperties: this.#each(patterns) }),
        };
      }
      case 'items':
        return { items: this.of(value) };
      case 'anyOf':
        return { anyOf: (value as unknown[]).map((schema) => this.of(schema)) };
      default:
        return { [keyword]: value };
    }
  }

  #each(schemas: Json): Json {
    return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, this.of(schema)]));
  }
}
