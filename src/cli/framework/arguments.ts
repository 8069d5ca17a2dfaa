/** What a command declares of its arguments, and the check that they are all there. */

import { suggestion } from '#lib/text/suggest.ts';
import { usageError } from './errors.ts';

export interface ArgumentSpec {
  /** Default `one`. Only the last may be `some` or `any`. An `optional` one takes a value only when there is one to spare. */
  readonly count?: 'one' | 'optional' | 'some' | 'any';
  readonly help: string;
  /** What it may be, for shells to complete. */
  readonly choices?: readonly string[];
  /** What the value must be; undefined when it is right. */
  readonly check?: (value: string) => string | undefined;
}

/** By the name that the help shows, in order. */
export type Arguments = Readonly<Record<string, ArgumentSpec>>;

type ValueOf<Spec extends ArgumentSpec> = Spec extends { readonly count: 'some' | 'any' }
  ? readonly string[]
  : Spec extends { readonly count: 'optional' }
    ? string | undefined
    : string;

export type ArgumentValues<A extends Arguments> = { readonly [Name in keyof A]: ValueOf<A[Name]> };

/** `IMAGE`, `[IMAGE]`, `IMAGE...` or `[IMAGE...]`. */
export function spellArgument(name: string, { count = 'one' }: ArgumentSpec): string {
  const repeated = count === 'some' || count === 'any' ? `${name}...` : name;
  return count === 'optional' || count === 'any' ? `[${repeated}]` : repeated;
}

/**
 * @param longer second words of commands that begin with this one: what is too many may be one of them, mistyped
 * @throws CommandError of usage that says which argument is missing, or which is too many
 */
export function assignArguments(
  specs: Arguments,
  given: readonly string[],
  longer: readonly string[] = [],
): Record<string, string | readonly string[]> {
  const values: Record<string, string | readonly string[]> = {};
  const missing: string[] = [];
  const needed = Object.values(specs).filter(({ count = 'one' }) => count === 'one' || count === 'some').length;
  let spare = given.length - needed;
  let rest = given;
  for (const [name, spec] of Object.entries(specs)) {
    const { count = 'one' } = spec;
    const isMany = count === 'some' || count === 'any';
    const isLeftOut = count === 'optional' && spare-- <= 0;
    const taken = rest.slice(0, isMany ? rest.length : Number(!isLeftOut));
    rest = rest.slice(taken.length);
    if (taken.length === 0 && (count === 'one' || count === 'some')) missing.push(name);
    for (const value of taken) checkValue(name, spec, value);
    const [first] = taken;
    if (isMany) values[name] = taken;
    else if (first !== undefined) values[name] = first;
  }
  if (missing.length > 0) throw usageError(`missing ${missing.join(' and ')}`);
  const [first] = rest;
  if (first !== undefined) {
    const all = rest.map((value) => JSON.stringify(value)).join(', ');
    throw usageError(`unexpected ${rest.length === 1 ? 'argument' : 'arguments'} ${all}${suggestion(first, longer)}`);
  }
  return values;
}

function checkValue(name: string, { check }: ArgumentSpec, value: string): void {
  const right = check?.(value);
  if (right !== undefined) throw usageError(`${name} is ${JSON.stringify(value)}; it must be ${right}`);
}
