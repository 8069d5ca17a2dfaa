/**
 * `make audit`: what is known to be wrong with the packages that are shipped. Fails if something of high severity or above
 * is. A registry that cannot tell is no finding, and no clean bill either: that is said.
 */
import { spawnSync } from 'node:child_process';

interface Finding {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
}

/** What npm answers: a report, or that the registry gave none. */
interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, Finding>>;
  readonly message?: string;
}

const SERIOUS = ['high', 'critical'];
const ARGS = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=60000'];

function audited(): Audit {
  const { stdout, stderr, error } = spawnSync('npm', ARGS, { encoding: 'utf8' });
  if (error) return { message: `npm cannot be run: ${error.message}` };
  try {
    return JSON.parse(stdout) as Audit;
  } catch {
    return { message: stderr.trim() || 'npm said nothing' };
  }
}

const { vulnerabilities, message } = audited();
if (vulnerabilities) {
  const all = Object.values(vulnerabilities);
  for (const { name, severity, range } of all) process.stdout.write(`${severity}: ${name} ${range}\n`);
  const serious = all.filter(({ severity }) => SERIOUS.includes(severity)).length;
  process.stdout.write(`${all.length} packages that are shipped have known faults, ${serious} of them serious\n`);
  if (serious > 0) process.exitCode = 1;
} else {
  process.stdout.write(`Nothing was audited, as the registry has no answer: ${message}\n`);
}
