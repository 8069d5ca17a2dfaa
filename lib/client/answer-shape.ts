/**
 * What callers rely on in an answer without looking: where something else than an IMGAPI answers, such as the page of a proxy,
 * it is at fault, not they. The rest of an answer is for callers who distrust the server.
 */
import { isObject } from '../manifest/fields.ts';
import { invalidAnswer, readJson } from './answer.ts';
import type { HttpAnswer } from './transport.ts';

export interface AnswerShape {
  /** Of objects; else it is one. */
  readonly isList?: boolean;
  /** Fields with text that each object must have. */
  readonly needs?: readonly string[];
}

/** @param shape absent: any object or list will do @throws ImgapiError `InvalidAnswer`, and what `readJson` throws */
export async function readShaped<T>(answer: HttpAnswer, shape?: AnswerShape): Promise<T> {
  const value = await readJson(answer);
  const problem = problemOf(value, shape);
  if (problem !== undefined) throw invalidAnswer(answer, problem);
  return value as T;
}

function problemOf(value: unknown, shape: AnswerShape | undefined): string | undefined {
  if (shape === undefined) {
    return isObject(value) || Array.isArray(value)
      ? undefined
      : `it is ${kindOf(value)} instead of an object or a list`;
  }
  const { isList = false, needs = [] } = shape;
  if (!isList) return problemOfOne('it', value, needs);
  if (!Array.isArray(value)) return `it is ${kindOf(value)} instead of a list`;
  for (const item of value) {
    const problem = problemOfOne('an item of the list', item, needs);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOfOne(what: string, value: unknown, needs: readonly string[]): string | undefined {
  if (!isObject(value)) return `${what} is ${kindOf(value)} instead of an object`;
  const lacking = needs.find((field) => typeof value[field] !== 'string');
  return lacking === undefined ? undefined : `${what} has no ${lacking}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
