/** The rules that the records of this service have to keep, and the answer when one does not. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { type FieldProblem, problemSummary } from '#lib/manifest/problem.ts';
import type { ValidateOptions } from '#lib/manifest/validate.ts';
import type { WithConfig } from '../../service/config/config.ts';

export function rulesOf({ config: { mode, channels } }: WithConfig): Required<Omit<ValidateOptions, 'minimal'>> {
  return { mode, channels: channels !== undefined };
}

/** @param prefix begins the message @throws 422 ValidationFailed listing all problems, if there are any */
export function assertNoProblems(problems: readonly FieldProblem[], prefix = ''): void {
  if (problems.length === 0) return;
  throw new ApiError('ValidationFailed', `${prefix}${problemSummary(problems)}`, { errors: problems });
}
