/** What a check of a link found, and what to mend. */
import type { LinkCheck, LinkCheckReport } from '#lib/api/schemas/datacenter.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { formatTable } from '../../output/table.ts';

export function reportChecks(output: Output, { checks }: Pick<LinkCheckReport, 'checks'>): void {
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
