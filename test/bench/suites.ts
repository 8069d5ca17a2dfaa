/** What is measured, by engine. */
import { benchBytes } from './bytes.ts';
import type { Plan, Results } from './measure.ts';
import { benchMemory } from './memory.ts';
import { benchBytesInS3 } from './postgres-s3/bytes.ts';
import { benchDocuments } from './postgres-s3/documents.ts';
import { benchProcesses } from './postgres-s3/processes.ts';
import { benchRequests } from './requests.ts';
import { benchWorkers } from './workers.ts';

type Suite = (plan: Plan) => Promise<Results>;

const SUITES: Readonly<Record<string, Readonly<Record<string, Suite>>>> = {
  embedded: { requests: benchRequests, bytes: benchBytes, memory: benchMemory, workers: benchWorkers },
  'postgres-s3': {
    documents: benchDocuments,
    bytes: benchBytesInS3,
    processes: benchProcesses,
    workers: benchWorkers,
  },
};

/** @param names all if none are given. @throws if there is no such engine, or no such suite of it */
export function suitesOf(engine: string, names: readonly string[]): [name: string, suite: Suite][] {
  const suites = SUITES[engine];
  if (!suites) throw new Error(`there is no engine "${engine}"; there are ${Object.keys(SUITES).join(', ')}`);
  const chosen = names.length > 0 ? names : Object.keys(suites);
  return chosen.map((name) => {
    const suite = suites[name];
    if (suite) return [name, suite];
    throw new Error(`there is no benchmark "${name}" of ${engine}; there are ${Object.keys(suites).join(', ')}`);
  });
}
