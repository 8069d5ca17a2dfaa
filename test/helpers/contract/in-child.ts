/**
 * Loaded by the processes that tests start, before their own code: writes down every answer that no row has, a line
 * each, in the file that TEST_CONTRACT_PROBLEMS names.
 */
import { appendFileSync } from 'node:fs';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { problemWith } from './answers.ts';
import { watchAnswers } from './watch.ts';

const known = new Set<string>();
const file = process.env['TEST_CONTRACT_PROBLEMS'];

// Which of its listeners a port is does not show here; what is wrong for one may be right for another.
if (file !== undefined) {
  watchAnswers(() => (request, answer) => {
    if (request.url?.startsWith('/metrics')) return;
    const problems = [IMGAPI, LINKS].map((operations) => problemWith(operations, request, answer));
    const [problem] = problems;
    if (problem === undefined || problems.includes(undefined) || known.has(problem)) return;
    known.add(problem);
    appendFileSync(file, `${problem.replaceAll('\n', ' ')}\n`);
  });
}
