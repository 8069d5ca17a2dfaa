/**
 * Parameters of CloudAPI's rows. They come in the query, in a body, or in both, where the body wins; an empty
 * string counts as absent.
 */
import { Type } from 'typebox';
import { needed, type ParameterOptions } from '../parameters.ts';

export function flag(description: string) {
  return Type.Boolean({ description, mustBe: 'true or false' } satisfies ParameterOptions);
}

export function text(description: string, mustBe = 'one string') {
  return Type.String({ description, mustBe } satisfies ParameterOptions);
}

/** A text that the operation needs. @param what completes "… is a required argument" */
export function required(what: string, description: string, mustBe?: string) {
  return needed(text(description, mustBe), { missing: { message: `${what} is a required argument` } });
}

/** Whatever JSON can hold: handed on as it came, for IMGAPI to look at. */
export function value(description: string) {
  return Type.Unsafe<unknown>({ description });
}
