/** What a check of a link found, and what to mend. */
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { formatTable } from '../../output/table.ts';

export interface LinkCheck {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly mend?: string;
}

/** The answer of POST /datacenters/:name/check. */
export interface CheckReport {
  readonly datacenter: string;
  readonly url: string;
  readonly ok: boolean;
  readonly checks: readonly LinkCheck[];
}

export function reportChecks(output: Output, { checks }: Pick<CheckReport, 'checks'>): void {
  const columns = [
    { title: 'CHECK', value: ({ check }: LinkCheck) => check },
    { title: 'RESULT', value: ({ ok }: LinkCheck) => (ok ? 'ok' : 'FAILED') },
    { title: 'DETAIL', value: ({ detail }: LinkCheck) => detail },
  ];
  for (const line of formatTable(columns, checks)) output.line(line);
  for (const { check, ok, mend } of checks) {
    if (!ok && mend !== undefined) output.line(`To mend "${printable(check)}": ${printable(mend)}.`);
  }
}

export function checkPath(datacenter: string): string {
  return `/datacenters/${encodeURIComponent(datacenter)}/check`;
}
