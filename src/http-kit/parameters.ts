/**
 * Query parameters by the schemas of an operation's row: checked by ajv, handed on as typed values. A bad one is a 422
 * InvalidParameter that names parameter and value. Unknown parameters are ignored, as they always were.
 */
import { Ajv } from 'ajv';
import type { TObject } from 'typebox';
import type { Operation, QueryOf } from '#lib/api/operation.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { invalidParameter } from '../../lib/api/errors/api-error.ts';
import type { QueryParams } from './call.ts';
import { declareParameters } from './query.ts';

const ajv = new Ajv({ allErrors: false });
ajv.addVocabulary(['mustBe']);
ajv.addFormat('lower-case-uuid', { type: 'string', validate: isUuid });

/** What of a parameter's schema decides how it is read; see `lib/api/parameters.ts`. */
interface ParameterSchema {
  readonly type?: string;
  /** Absent: the handler looks at it. */
  readonly mustBe?: string;
}

/** From the text as it was sent to the value that the schema is of; undefined for what is none. */
const READ: Readonly<Record<string, (text: string) => unknown>> = {
  boolean: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  // Fifteen digits are exact in a double.
  integer: (text) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : undefined),
};

type Getter = (given: QueryParams[string]) => unknown;

/**
 * A reader for the parameters of an operation. Each is checked when it is asked for, because other checks come before
 * it, and which of two mistakes is answered is the handler's to say.
 */
export function queryReader<O extends Operation>({ query }: Pick<O, 'query'>): (given: QueryParams) => QueryOf<O> {
  /** A class, because the getters of an object literal are made anew for every literal. */
  class Query {
    readonly #given: QueryParams;
    constructor(given: QueryParams) {
      this.#given = given;
    }
    static declare(name: string, getter: Getter): void {
      Object.defineProperty(Query.prototype, name, {
        get(this: Query) {
          const given = this.#given[name];
          return given === undefined ? undefined : getter(given);
        },
      });
    }
  }
  const schemas = Object.entries(propertiesOf(query));
  declareParameters(schemas.map(([name]) => name));
  for (const [name, schema] of schemas) Query.declare(name, getterOf(name, schema));
  return (given) => new Query(given) as unknown as QueryOf<O>;
}

function propertiesOf(query: TObject | undefined): Readonly<Record<string, ParameterSchema>> {
  return query?.properties ?? {};
}

function getterOf(name: string, schema: ParameterSchema): Getter {
  const { mustBe, type } = schema;
  if (mustBe === undefined) return (given) => given;
  const read = READ[type ?? 'string'];
  const isValid = ajv.compile(schema);
  return (given) => {
    const value = read && typeof given === 'string' ? read(given) : given;
    if (isValid(value)) return value;
    throw invalidParameter(name, `${name} is ${shown(given)}; it must be ${mustBe}`);
  };
}

function shown(value: unknown): string {
  const json = redact(JSON.stringify(value));
  return json.length > 200 ? `${json.slice(0, 200)}…` : json;
}
