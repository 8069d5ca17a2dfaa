/**
 * Query parameters: declared per route, checked by ajv, handed on as typed values. The first bad one is a 422
 * InvalidParameter that names parameter and value. Unknown parameters are ignored, as they always were.
 */

import { Ajv, type ErrorObject } from 'ajv';
import { LONGEST_DATASET_GUID } from '#lib/manifest/validate-collections.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { invalidParameter } from '../../lib/api/errors/api-error.ts';
import type { QueryParams } from './call.ts';
import { declareParameters } from './query.ts';

/** One parameter: its JSON schema over the text as sent, the typed value, and what to say of a bad one. */
interface Parameter<T> {
  readonly schema: object;
  readonly read: (text: string) => T;
  readonly expected: string;
}

type Values<P extends Readonly<Record<string, Parameter<unknown>>>> = {
  readonly [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never;
};

const LONGEST_VALUE = 4096;
const ajv = new Ajv({ allErrors: false });
ajv.addFormat('image-uuid', { type: 'string', validate: isUuid });

/** Exactly `true` or `false`. */
export const flag: Parameter<boolean> = {
  schema: { enum: ['true', 'false'] },
  read: (text) => text === 'true',
  expected: '"true" or "false"',
};

export const uuid: Parameter<string> = {
  schema: { type: 'string', format: 'image-uuid' },
  read: (text) => text,
  expected: 'a lower-case UUID',
};

export const text: Parameter<string> = {
  schema: { type: 'string', maxLength: LONGEST_VALUE },
  read: (value) => value,
  expected: `one string of at most ${LONGEST_VALUE} characters`,
};

/** What a file may have noted as its dataset's guid. */
export const datasetGuid: Parameter<string> = {
  schema: { type: 'string', maxLength: LONGEST_DATASET_GUID },
  read: (value) => value,
  expected: `one string of at most ${LONGEST_DATASET_GUID} characters`,
};

export const sha1Text: Parameter<string> = {
  schema: { type: 'string', pattern: '^[0-9a-fA-F]{40}$' },
  read: (value) => value.toLowerCase(),
  expected: 'the SHA-1 of the bytes in hex',
};

export function integer(min: number, max: number): Parameter<number> {
  // Fifteen digits are exact in a double; the range itself is compared after reading.
  return {
    schema: { type: 'string', pattern: '^[0-9]{1,15}$', inRange: [min, max] },
    read: Number,
    expected: `a whole number from ${min} to ${max}`,
  };
}

export function oneOf<T extends string>(values: readonly T[]): Parameter<T> {
  return { schema: { enum: values }, read: (value) => value as T, expected: `one of ${values.join(', ')}` };
}

ajv.addKeyword({
  keyword: 'inRange',
  type: 'string',
  validate: ([min, max]: [number, number], value: string) => Number(value) >= min && Number(value) <= max,
});

/** A reader for these parameters; they are checked in the order in which they are declared. */
export function parameters<P extends Readonly<Record<string, Parameter<unknown>>>>(
  declared: P,
): (query: QueryParams) => Values<P> {
  const entries = Object.entries(declared);
  declareParameters(Object.keys(declared));
  const validate = ajv.compile({
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
  });
  return (query) => {
    if (!validate(query)) throw problem(declared, query, validate.errors?.[0]);
    const values: Record<string, unknown> = {};
    for (const [name, { read }] of entries) {
      const value = query[name];
      if (value !== undefined) values[name] = read(value as string);
    }
    return values as Values<P>;
  };
}

function problem(
  declared: Readonly<Record<string, Parameter<unknown>>>,
  query: QueryParams,
  error: ErrorObject | undefined,
): Error {
  const name = error?.instancePath.split('/')[1] ?? '';
  return invalidParameter(name, `${name} is ${shown(query[name])}; it must be ${declared[name]?.expected}`);
}

function shown(value: unknown): string {
  const json = redact(JSON.stringify(value) ?? 'missing');
  return json.length > 200 ? `${json.slice(0, 200)}…` : json;
}
