/**
 * Reads parameters and the fields of bodies by the schemas of an operation's row: ajv checks them, and the handler gets
 * typed values. The error for a bad one names the field and its value. Unknown ones are ignored, as they always were.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import type { TObject, TSchema } from 'typebox';
import type { BodyOf, Operation, QueryOf, RequestBody } from '#lib/api/operation.ts';
import { type Missing, WORDS, type Wording } from '#lib/api/wording.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Parameters } from './call.ts';
import { declareParameters } from './query.ts';
import { invalidParameter, RequestError } from './request-error.ts';

/**
 * Hundreds of schemas are compiled, each when its first value comes: all of them at the start took a tenth of it. They are the
 * project's own, which a test holds against the schema of schemas.
 */
const ajv = new Ajv({ allErrors: false, validateSchema: false, meta: false });
ajv.addVocabulary([...WORDS]);
ajv.addFormat('lower-case-uuid', { type: 'string', validate: isUuid });

/** The parts of a schema that decide how a value is read; see `lib/api/parameters.ts`. */
interface ParameterSchema extends Wording {
  readonly type?: string;
}

/** From the text as it was sent to a value of the schema's type; undefined if it is not one. */
const READ: Readonly<Record<string, (text: string) => unknown>> = {
  boolean: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  // A double holds fifteen digits exactly.
  number: (text) => clamped(Number(text)),
  integer: (text) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : undefined),
};

/** JSON Schema has no infinity. Undefined for what is no number. */
function clamped(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/** How an API treats its parameters. */
export interface ParameterForm {
  /** For a value that does not match its schema. */
  readonly refuse: (name: string, given: unknown, wording: Wording) => Error;
  /** For a required value that is missing. */
  readonly miss: (name: string, missing: Missing, wording: Wording) => Error;
  /** An empty value counts as absent, except for a boolean. */
  readonly emptyIsAbsent: boolean;
  /** Misspelt names are refused, see `query.ts`. */
  readonly isNameChecked: boolean;
}

export const PLAIN: ParameterForm = {
  refuse: (name, given, { mustBe, refusal }) =>
    invalidParameter(name, refusal ?? `${name} is ${shown(given)}; it must be ${mustBe}`),
  miss: (field, { message, kind = 'Missing' }) =>
    new RequestError('InvalidParameter', message, { errors: [{ field, code: kind, message }] }),
  emptyIsAbsent: false,
  isNameChecked: true,
};

type Getter = (given: unknown) => unknown;

/**
 * A reader for the parameters of an operation. Each is checked only when the handler asks for it, so that the handler
 * decides which of two mistakes is reported.
 */
export function queryReader<O extends Operation>(
  { query }: Pick<O, 'query'>,
  form: ParameterForm = PLAIN,
): (given: Parameters) => QueryOf<O> {
  const { patternProperties = {} } = (query ?? {}) as { readonly patternProperties?: object };
  if (form.isNameChecked) declareParameters(Object.keys(propertiesOf(query)), Object.keys(patternProperties));
  const read = fieldReader(propertiesOf(query), form, true);
  return (given) => read(given) as QueryOf<O>;
}

/** How an API treats a body. */
export interface BodyForm extends Pick<ParameterForm, 'refuse' | 'miss'> {
  /** For a body that is not an object although its schema says that it must be. */
  readonly refuseBody: (mustBe: string) => Error;
}

/** A reader for the body of an operation, which checks it as the row says. */
export function bodyReader<O extends Operation>(
  body: Exclude<RequestBody, { readonly bytes: unknown }>,
  form: BodyForm,
): (given: unknown) => BodyOf<O> {
  const schema = 'json' in body ? body.json : body.signed;
  const read = body.check === 'whole' ? wholeReader(schema, form) : objectReader(schema as TObject, form);
  return (given) => read(given) as BodyOf<O>;
}

function validator(schema: TSchema): (value: unknown) => boolean {
  let compiled: ValidateFunction | undefined;
  return (value) => {
    compiled ??= ajv.compile(schema);
    return compiled(value);
  };
}

function wholeReader(schema: TSchema & Wording, { refuse }: BodyForm): (given: unknown) => unknown {
  const isValid = validator(schema);
  return (given) => {
    if (isValid(given)) return given;
    throw refuse(schema.about ?? 'body', given, schema);
  };
}

function objectReader(schema: TObject & Wording, form: BodyForm): (given: unknown) => unknown {
  const { mustBe } = schema;
  const read = fieldReader(propertiesOf(schema), { ...PLAIN, ...form }, false);
  return (given) => {
    if (isFields(given)) return read(given);
    if (mustBe !== undefined && given !== undefined && given !== null) throw form.refuseBody(mustBe);
    return read({});
  };
}

function isFields(given: unknown): given is Parameters {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

/** @param isText whether the values are read from text */
function fieldReader(
  schemas: Readonly<Record<string, ParameterSchema>>,
  form: ParameterForm,
  isText: boolean,
): (given: Parameters) => object {
  /** A class, because an object literal would create its getters anew for every request. */
  class Fields {
    readonly #given: Parameters;
    constructor(given: Parameters) {
      this.#given = given;
    }
    static declare(name: string, getter: Getter): void {
      Object.defineProperty(Fields.prototype, name, {
        get(this: Fields) {
          return getter(this.#given[name]);
        },
      });
    }
  }
  for (const [name, schema] of Object.entries(schemas)) Fields.declare(name, getterOf(name, schema, form, isText));
  return (given) => new Fields(given);
}

function propertiesOf(object: TObject | undefined): Readonly<Record<string, ParameterSchema>> {
  return object?.properties ?? {};
}

function getterOf(name: string, schema: ParameterSchema, form: ParameterForm, isText: boolean): Getter {
  const { missing } = schema;
  const read = valueReader(name, schema, form, isText);
  if (missing === undefined) return (given) => (given === undefined ? undefined : read(given));
  const { also = [] } = missing;
  const isMissing = (given: unknown): boolean =>
    given === undefined ||
    (given === '' && also.includes('empty')) ||
    (typeof given !== 'string' && also.includes('no text'));
  return (given) => {
    const value = isMissing(given) ? undefined : read(given);
    if (value === undefined) throw form.miss(name, missing, schema);
    return value;
  };
}

function valueReader(name: string, schema: ParameterSchema, form: ParameterForm, isText: boolean): Getter {
  const { mustBe, refusal, type, emptyCounts = false } = schema;
  if (mustBe === undefined && refusal === undefined) return (given) => given;
  const parse = isText ? READ[type ?? 'string'] : undefined;
  const isValid = validator(schema);
  const canBeEmpty = form.emptyIsAbsent && type !== 'boolean' && !emptyCounts;
  return (given) => {
    if (canBeEmpty && given === '') return undefined;
    const value = parse && typeof given === 'string' ? parse(given) : given;
    if (isValid(value)) return value;
    throw form.refuse(name, given, schema);
  };
}

function shown(value: unknown): string {
  const json = redact(JSON.stringify(value));
  return json.length > 200 ? `${json.slice(0, 200)}…` : json;
}
