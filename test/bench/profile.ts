/** Where the time went, from V8's CPU profiles. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 15;

/** The functions that took most of the time themselves, as lines of text. */
export async function hottest(directory: string): Promise<string[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  const time = new Map<string, number>();
  let total = 0;
  for (const file of files) {
    const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile;
    const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    for (const [index, id] of profile.samples.entries()) {
      const name = names.get(id) ?? '?';
      const delta = profile.timeDeltas[index] ?? 0;
      if (name === '(idle)') continue;
      time.set(name, (time.get(name) ?? 0) + delta);
      total += delta;
    }
  }
  const sorted = [...time].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  return sorted.map(([name, spent]) => `${((100 * spent) / total).toFixed(1).padStart(6)} %  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.split('/').slice(-3).join('/');
  return file ? `${functionName || '(anonymous)'}  ${file}:${lineNumber + 1}` : functionName;
}
