/**
 * Parameters by the schemas of an operation's row: checked by ajv, handed on as typed values. A bad one is refused by an
 * error that names parameter and value. Unknown parameters are ignored, as they always were.
 */
import { Ajv } from 'ajv';
import type { TObject } from 'typebox';
import type { Operation, QueryOf } from '#lib/api/operation.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Parameters } from './call.ts';
import { declareParameters } from './query.ts';
import { invalidParameter } from './request-error.ts';

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

/** What an API makes of its parameters. */
export interface ParameterForm {
  /** @param mustBe completes "it must be …" */
  readonly refuse: (name: string, given: unknown, mustBe: string) => Error;
  /** A text that is empty, or a number, counts as absent. */
  readonly emptyIsAbsent: boolean;
  /** Names that are nearly right are refused, see `query.ts`. */
  readonly isNameChecked: boolean;
}

const PLAIN: ParameterForm = {
  refuse: (name, given, mustBe) => invalidParameter(name, `${name} is ${shown(given)}; it must be ${mustBe}`),
  emptyIsAbsent: false,
  isNameChecked: true,
};

type Getter = (given: unknown) => unknown;

/**
 * A reader for the parameters of an operation. Each is checked when it is asked for, because other checks come before
 * it, and which of two mistakes is answered is the handler's to say.
 */
export function queryReader<O extends Operation>(
  { query }: Pick<O, 'query'>,
  form: ParameterForm = PLAIN,
): (given: Parameters) => QueryOf<O> {
  /** A class, because the getters of an object literal are made anew for every literal. */
  class Query {
    readonly #given: Parameters;
    constructor(given: Parameters) {
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
  if (form.isNameChecked) declareParameters(schemas.map(([name]) => name));
  for (const [name, schema] of schemas) Query.declare(name, getterOf(name, schema, form));
  return (given) => new Query(given) as unknown as QueryOf<O>;
}

function propertiesOf(query: TObject | undefined): Readonly<Record<string, ParameterSchema>> {
  return query?.properties ?? {};
}

function getterOf(name: string, schema: ParameterSchema, { refuse, emptyIsAbsent }: ParameterForm): Getter {
  const { mustBe, type } = schema;
  if (mustBe === undefined) return (given) => given;
  const read = READ[type ?? 'string'];
  const isValid = ajv.compile(schema);
  const canBeEmpty = emptyIsAbsent && type !== 'boolean';
  return (given) => {
    if (canBeEmpty && given === '') return undefined;
    const value = read && typeof given === 'string' ? read(given) : given;
    if (isValid(value)) return value;
    throw refuse(name, given, mustBe);
  };
}

function shown(value: unknown): string {
  const json = redact(JSON.stringify(value));
  return json.length > 200 ? `${json.slice(0, 200)}…` : json;
}
