/** Checks every answer of a server in the test's process against the row of its operation. */
import type { Test } from 'tap';
import { problemWith } from './answers.ts';
import type { Contract } from './contracts.ts';
import { watchAnswers } from './watch.ts';

interface Checked {
  readonly contract: Contract;
  /** Called for each answer that no row has. */
  readonly fail: (problem: string) => void;
}

/** By port. */
const checked = new Map<number, Checked>();

watchAnswers((port) => {
  const of = checked.get(port);
  if (!of) return undefined;
  return (request, answer) => {
    const problem = problemWith(of.contract, request, answer);
    if (problem !== undefined) of.fail(problem);
  };
});

/** From now on, an answer at this URL that does not match its row fails the test; each kind is reported once. */
export function holdToContract(t: Test, url: string, contract: Contract): void {
  const known = new Set<string>();
  const fail = (problem: string): void => {
    if (!known.has(problem)) t.fail(`no row has this answer: ${problem}`);
    known.add(problem);
  };
  const port = Number(new URL(url).port);
  checked.set(port, { contract, fail });
  t.teardown(() => checked.delete(port));
}
