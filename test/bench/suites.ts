/** What is measured, by engine. */
import { benchBusy } from './busy.ts';
import { benchBytes } from './bytes.ts';
import { benchConsole } from './console.ts';
import { benchCopies } from './copies.ts';
import { benchCrowds } from './crowds.ts';
import type { Plan, Results } from './measure.ts';
import { benchMemory } from './memory.ts';
import { benchMillion } from './million.ts';
import { benchOneStore } from './one-store.ts';
import { benchBytesInS3 } from './postgres-s3/bytes.ts';
import { benchDocuments } from './postgres-s3/documents.ts';
import { benchProcesses } from './postgres-s3/processes.ts';
import { benchRequests } from './requests.ts';
import { benchWorkers } from './workers.ts';

type Suite = (plan: Plan) => Results;

interface Engine {
  readonly suites: Readonly<Record<string, Suite>>;
  /** How often each side is measured, unless told otherwise. */
  readonly runs: number;
}

const EMBEDDED: Engine = {
  suites: {
    requests: benchRequests,
    busy: benchBusy,
    million: benchMillion,
    bytes: benchBytes,
    copies: benchCopies,
    'one-store': benchOneStore,
    memory: benchMemory,
    crowds: benchCrowds,
    workers: benchWorkers,
    console: benchConsole,
  },
  runs: 5,
};

/** As often as ten minutes allow, most of which it takes to bring in a million images, and gigabytes. */
const POSTGRES_S3: Engine = {
  suites: { documents: benchDocuments, bytes: benchBytesInS3, processes: benchProcesses, workers: benchWorkers },
  runs: 3,
};

const ENGINES: Readonly<Record<string, Engine>> = { embedded: EMBEDDED, 'postgres-s3': POSTGRES_S3 };

export interface Chosen {
  readonly runs: number;
  readonly suites: readonly (readonly [name: string, suite: Suite])[];
}

/** @param names all if none are given. @throws if there is no such engine, or no such suite of it */
export function suitesOf(engine: string, names: readonly string[]): Chosen {
  const found = ENGINES[engine];
  if (!found) throw new Error(`there is no engine "${engine}"; there are ${Object.keys(ENGINES).join(', ')}`);
  const { suites, runs } = found;
  const chosen = names.length > 0 ? names : Object.keys(suites);
  return {
    runs,
    suites: chosen.map((name) => {
      const suite = suites[name];
      if (suite) return [name, suite];
      throw new Error(`there is no benchmark "${name}" of ${engine}; there are ${Object.keys(suites).join(', ')}`);
    }),
  };
}
