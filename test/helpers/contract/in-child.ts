/**
 * Loaded by the processes that tests start, before their own code: writes down every answer that no row has, a line
 * each, in the file that TEST_CONTRACT_PROBLEMS names.
 */
import { appendFileSync } from 'node:fs';
import { problemWith } from './answers.ts';
import { CLOUD, LINK, MAIN } from './contracts.ts';
import { watchAnswers } from './watch.ts';

const known = new Set<string>();
const file = process.env['TEST_CONTRACT_PROBLEMS'];

const contracts = process.argv[1]?.endsWith('/src/cloudapi/main.ts') ? [CLOUD] : [MAIN, LINK];

// Which of its listeners a port is does not show here; what is wrong for one may be right for another.
if (file !== undefined) {
  watchAnswers(() => (request, answer) => {
    if (request.url?.startsWith('/metrics')) return;
    const problems = contracts.map((contract) => problemWith(contract, request, answer));
    const [problem] = problems;
    if (problem === undefined || problems.includes(undefined) || known.has(problem)) return;
    known.add(problem);
    appendFileSync(file, `${problem.replaceAll('\n', ' ')}\n`);
  });
}
