/** Checks every answer of a server in the test's process against the row of its operation. */
import type { Test } from 'tap';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operations } from '#lib/api/operation.ts';
import type { Imgapi } from '#src/app.ts';
import { problemWith } from './answers.ts';
import { watchAnswers } from './watch.ts';

interface Checked {
  readonly operations: Operations;
  /** Called for each answer that no row has. */
  readonly fail: (problem: string) => void;
}

/** By port. */
const checked = new Map<number, Checked>();

watchAnswers((port) => {
  const of = checked.get(port);
  if (!of) return undefined;
  return (request, answer) => {
    const problem = problemWith(of.operations, request, answer);
    if (problem !== undefined) of.fail(problem);
  };
});

/** From now on, an answer that does not match its row fails the test; each kind is reported once. */
export function holdToContract(t: Test, { url, linksUrl }: Imgapi): void {
  const known = new Set<string>();
  const fail = (problem: string): void => {
    if (!known.has(problem)) t.fail(`no row has this answer: ${problem}`);
    known.add(problem);
  };
  const ports = [url, ...(linksUrl === undefined ? [] : [linksUrl])].map((of) => Number(new URL(of).port));
  for (const [at, port] of ports.entries()) checked.set(port, { operations: at === 0 ? IMGAPI : LINKS, fail });
  t.teardown(() => {
    for (const port of ports) checked.delete(port);
  });
}
