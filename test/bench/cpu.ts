/** How much of the processors a server takes. Linux only. */
import { readdir, readFile } from 'node:fs/promises';

/** The kernel counts in ticks of 10 ms for whoever asks. */
const TICKS = 100;

interface Counted {
  readonly pid: number;
  readonly parent: number;
  readonly seconds: number;
}

/** CPU seconds of these processes and all below them, user and system, from their beginning; ended children included. */
export async function cpuSeconds(...roots: readonly number[]): Promise<number> {
  const all = await processes();
  const wanted = new Set(roots);
  // A child may stand before its parent.
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((sum, { seconds }) => sum + seconds, 0);
}

export async function childrenOf(pid: number): Promise<number[]> {
  return (await processes()).filter(({ parent }) => parent === pid).map((child) => child.pid);
}

async function processes(): Promise<Counted[]> {
  const ids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  return (await Promise.all(ids.map(counted))).flatMap((one) => one ?? []);
}

async function counted(pid: number): Promise<Counted | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The name of the program, in parentheses, may have blanks of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: Number(fields[1]), seconds: ticks / TICKS };
}
