/** What is wrong with one field of a manifest. Problems are collected, not thrown. */
import { redact } from '../text/redact.ts';

export interface FieldProblem {
  readonly field: string;
  /** `MissingParameter`: the field is absent. `Invalid`: it is present but not acceptable. */
  readonly code: 'MissingParameter' | 'Invalid';
  /** Names the value and what would be right. */
  readonly message: string;
}

const LONGEST_VALUE = 100;

/** Enough to show what is wrong; a body of a megabyte may have a hundred thousand problems. */
const MOST_PROBLEMS = 50;

/** Whether there are enough problems to stop checking. */
export function isFull(problems: readonly unknown[]): boolean {
  return problems.length >= MOST_PROBLEMS;
}

/** A value as it appears in a message: JSON, cut to a length at which a reader can recognise it. */
export function shown(value: unknown): string {
  const text = redact(JSON.stringify(value) ?? String(value));
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}

export function missing(field: string, because = ''): FieldProblem {
  return { field, code: 'MissingParameter', message: `"${field}" is missing${because && `: ${because}`}` };
}

/** `expected` completes the sentence `"field" must be …`. */
export function invalid(field: string, expected: string, value: unknown): FieldProblem {
  return { field, code: 'Invalid', message: `"${field}" must be ${expected}, not ${shown(value)}` };
}

/** One line for all problems, the message of an error answer: the fields in the order of the checks. */
export function problemSummary(problems: readonly FieldProblem[]): string {
  return `invalid image data: ${problems.map(({ field }) => field).join(', ')}`;
}
