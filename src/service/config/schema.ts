/** Checks a configuration against a JSON schema in etc/ and fills in the schema's defaults. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { addressRange } from '#lib/network/address-range.ts';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { redact } from '#lib/text/redact.ts';
import { closest } from '#lib/text/suggest.ts';
import configSchema from '../../../etc/config.schema.json' with { type: 'json' };
import { wrongInBandwidth } from './bandwidth.ts';
import { defaultsBeside, partOf, type Rules } from './given-part.ts';
import { isObject, type JsonObject } from './read-file.ts';

export interface SchemaResult {
  /** The input with all defaults filled in; meaningful only if there are no problems. */
  readonly value: JsonObject;
  readonly problems: readonly string[];
  /** Paths of keys that the schema does not know, such as `copies.concurency`. */
  readonly unknownKeys: readonly string[];
  /** A line for each of them, with the key that was likely meant. */
  readonly unknownKeyProblems: readonly string[];
}

/** Each comes with errors of its own: of the keys that are unknown, of a name, of what a value has to be under a condition. */
const TOLD_BELOW: ReadonlySet<string> = new Set(['additionalProperties', 'propertyNames', 'if']);

/** Of each schema, by the keys that were given. */
const compiled = new WeakMap<object, Map<string, ValidateFunction>>();

/** @param schema default: that of the IMGAPI server */
export function applySchema(input: JsonObject, schema: object = configSchema): SchemaResult {
  const given = new Set(Object.keys((schema as Rules).properties ?? {}).filter((key) => input[key] !== undefined));
  const validate = validatorOf(schema, given);
  const value = { ...structuredClone(input), ...defaultsBeside(given, schema as Rules, configSchema as Rules) };
  validate(value);
  const errors = validate.errors ?? [];
  const unknown = errors.filter((error) => error.keyword === 'additionalProperties' && !isComment(error));
  const wrong = errors.filter((error) => !TOLD_BELOW.has(error.keyword));
  return {
    value,
    problems: [...firstByPlace(wrong).values()],
    unknownKeys: unknown.map(unknownKeyOf),
    unknownKeyProblems: unknown.map((error) => `${unknownKeyOf(error)}: there is no such key${meantBy(error)}`),
  };
}

function unknownKeyOf({ instancePath, params }: ErrorObject): string {
  return keyPath(instancePath, String(params['additionalProperty']));
}

/** `; did you mean "copies.concurrency"?`, or nothing. */
function meantBy({ instancePath, params, parentSchema }: ErrorObject): string {
  const known = Object.keys((parentSchema as Rules | undefined)?.properties ?? {});
  const found = closest(String(params['additionalProperty']), known);
  return found === undefined ? '' : `; did you mean "${keyPath(instancePath, found)}"?`;
}

/** JSON has no other comments: templates and people write keys such as `"//"` and `"# later"`. */
function isComment({ params }: ErrorObject): boolean {
  return /^(?:\/\/|#)/.test(String(params['additionalProperty']));
}

/** `key: value is not right; it must be ...`; what may be a secret in the value is hidden. */
export function problem(key: string, value: unknown, right: string): string {
  return `${key}: ${show(value)} is not right; it must be ${right}`;
}

/**
 * Every process begins with this, and uses it once: optimizing takes longer than it saves, and the schemas are the project's
 * own, which a test holds against the schema of schemas.
 */
const FAST = { validateSchema: false, meta: false, code: { optimize: false } } as const;

function validatorOf(schema: object, given: ReadonlySet<string>): ValidateFunction {
  const known = compiled.get(schema) ?? new Map<string, ValidateFunction>();
  compiled.set(schema, known);
  const keys = [...given].join(' ');
  const validate = known.get(keys) ?? compile(schema, given);
  known.set(keys, validate);
  return validate;
}

function compile(schema: object, given: ReadonlySet<string>): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true, ...FAST });
  ajv.addVocabulary(['x-expects', 'x-secret']);
  ajv.addKeyword({ keyword: BANDWIDTH, type: 'string', errors: true, validate: checkBandwidth });
  ajv.addFormat('http-url', isHttpUrl);
  ajv.addFormat('address-range', (text) => addressRange(text) !== undefined);
  // What both servers are told in the same way is defined once.
  if (schema !== configSchema) ajv.addSchema(configSchema, 'config.schema.json');
  ajv.addFormat('origin', (text) => isHttpUrl(text) && new URL(text).origin === text.toLowerCase());
  return ajv.compile(partOf(schema as Rules, given));
}

/** The keyword for texts of which it is told what is wrong with them. */
const BANDWIDTH = 'x-bandwidth';

const checkBandwidth: { (rules: unknown, text: string): boolean; errors?: Partial<ErrorObject>[] } = (_rules, text) => {
  const message = wrongInBandwidth(text);
  checkBandwidth.errors = message === undefined ? [] : [{ keyword: BANDWIDTH, params: {}, message }];
  return message === undefined;
};

/** A value that breaks several rules is reported once. */
function firstByPlace(errors: readonly ErrorObject[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const error of errors) {
    const [key, text] = describe(error);
    if (!found.has(key)) found.set(key, text);
  }
  return found;
}

function describe(error: ErrorObject): [key: string, text: string] {
  if (error.keyword === 'required') {
    const key = keyPath(error.instancePath, String(error.params['missingProperty']));
    return [key, `${key}: missing`];
  }
  const key = keyPath(error.instancePath, error.propertyName);
  if (error.keyword === BANDWIDTH) return [key, `${key}: ${show(error.data)} is not right; ${error.message}`];
  const rules = error.parentSchema ?? {};
  if (rules['x-secret'] === true) return [key, `${key}: it must be ${rightFor(rules)}`];
  return [key, problem(key, error.propertyName ?? error.data, rightFor(rules))];
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  string: 'a string',
  array: 'a list',
  object: 'an object, { "key": value, ... }',
  number: 'a number',
  integer: 'a whole number',
};

function rightFor(rules: Readonly<Record<string, unknown>>): string {
  const { enum: choices, minimum, exclusiveMinimum, type } = rules;
  if (typeof rules['x-expects'] === 'string') return rules['x-expects'];
  if (Array.isArray(choices)) return `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`;
  const name = TYPE_NAMES[String(type)] ?? 'as etc/config.schema.json says';
  if (minimum !== undefined) return `${name}, ${minimum} or more`;
  if (exclusiveMinimum !== undefined) return `${name} greater than ${exclusiveMinimum}`;
  return name;
}

/** `/channels/0/name` becomes `channels[0].name`. */
function keyPath(pointer: string, last?: string): string {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (last !== undefined) steps.push(last);
  return steps.reduce((path, step) => {
    if (/^\d+$/.test(step)) return `${path}[${step}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

const LONGEST_VALUE = 100;

function show(value: unknown): string {
  if (isObject(value)) return 'an object';
  const text = redact(JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}
