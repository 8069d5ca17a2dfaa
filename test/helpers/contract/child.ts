/** Has processes that a test starts check their own answers against the rows of their operations. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const IN_CHILD = new URL('in-child.ts', import.meta.url).href;

export interface CheckedChild {
  /** URL of the module that it has to load before its own code. */
  readonly preload: string;
  readonly env: Readonly<Record<string, string>>;
}

/** An answer that does not match its row fails the test when it ends. To be asked for before the process is started. */
export function checkedChild(t: Pick<Test, 'teardown'>): CheckedChild {
  const file = join(tmpdir(), `imgapi-contract-${randomUUID()}`);
  t.teardown(() => {
    if (!existsSync(file)) return;
    const problems = readFileSync(file, 'utf8');
    rmSync(file);
    throw new Error(`no row has these answers:\n${problems}`);
  });
  return { preload: IN_CHILD, env: { TEST_CONTRACT_PROBLEMS: file } };
}
