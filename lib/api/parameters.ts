/**
 * Query parameters in rows: the schema is that of the value as handlers read it, and `mustBe` is what an error says of a
 * wrong value. A request has them as text, and each kind here accepts one notation.
 */
import { type TSchema, type TSchemaOptions, Type } from 'typebox';
import { LONGEST_DATASET_GUID } from '../manifest/validate-collections.ts';
import type { Missing, Wording } from './wording.ts';

export interface ParameterOptions extends TSchemaOptions, Wording {}

/** The schema of a value that must not be missing: reading it throws. */
export type Needed<S> = S & { readonly missing: Missing };

/** @param wording also for wrong values, where the schema itself has no words for them */
export function needed<S extends TSchema>(schema: S, wording: Wording & { readonly missing: Missing }): Needed<S> {
  // A schema has properties that are not enumerable, which a spread would leave out.
  const parts = { ...Object.getOwnPropertyDescriptors(schema), ...Object.getOwnPropertyDescriptors(wording) };
  return Object.defineProperties({}, parts) as Needed<S>;
}

const LONGEST_VALUE = 4096;

/** Exactly `true` or `false`. */
export function flag(description: string) {
  return Type.Boolean({ description, mustBe: '"true" or "false"' } satisfies ParameterOptions);
}

export function uuid(description: string) {
  return Type.String({
    description,
    format: 'lower-case-uuid',
    mustBe: 'a lower-case UUID',
  } satisfies ParameterOptions);
}

export function text(description: string, maxLength = LONGEST_VALUE) {
  const mustBe = `one string of at most ${maxLength} characters`;
  return Type.String({ description, maxLength, mustBe } satisfies ParameterOptions);
}

/** Text that counts as it is, also an empty one: what images are searched by finds those whose field is empty. */
export function verbatim(description: string) {
  return { ...text(description), emptyCounts: true } satisfies ParameterOptions;
}

/** The GUID of a ZFS snapshot, as the record of a file may have it. */
export function datasetGuid(description: string) {
  return text(description, LONGEST_DATASET_GUID);
}

/** Handlers read it in lower case. */
export function sha1(description: string) {
  const mustBe = 'the SHA-1 of the bytes in hex';
  return Type.String({ description, pattern: '^[0-9a-fA-F]{40}$', mustBe } satisfies ParameterOptions);
}

/** Digits only. */
export function integer(minimum: number, maximum: number, description: string) {
  const mustBe = `a whole number from ${minimum} to ${maximum}`;
  return Type.Integer({ description, minimum, maximum, mustBe } satisfies ParameterOptions);
}

/** Whatever JavaScript's `Number` takes, also `0x10`, `1e3` and ` 2 `; handlers clamp it. */
export function number(description: string) {
  return Type.Number({ description, mustBe: 'a number' } satisfies ParameterOptions);
}

export function oneOf<const T extends string>(values: readonly T[], description: string) {
  return Type.Enum([...values], { description, mustBe: `one of ${values.join(', ')}` } satisfies ParameterOptions);
}

/**
 * A value that only the server can check, such as the name of a channel or datacenter: it is passed on as it came,
 * possibly repeated, and the handler says which values there are.
 */
export function known(description: string) {
  return Type.Unsafe<string | readonly string[]>({ type: 'string', description });
}

/** May be repeated. */
export function list(description: string) {
  return Type.Unsafe<string | readonly string[]>({ type: 'array', items: { type: 'string' }, description });
}
