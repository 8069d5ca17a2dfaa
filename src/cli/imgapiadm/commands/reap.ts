/** `imgapiadm reap`: removes what is left behind, or shows what would go. */

import type { CleanUpReport } from '#lib/api/schemas/maintenance.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { formatTable } from '../../output/table.ts';
import { defineCommand } from '../connection/define-command.ts';
import { FILES_PATIENCE } from '../connection/patience.ts';
import { failuresOf, leftovers, sizeOf } from '../upkeep/reap-report.ts';

export const reap = defineCommand({
  name: 'reap',
  summary: 'remove what is left behind: old pull links, staging, failed copies',
  description: [
    'The server does this by itself from time to time. What goes is shown by name and size: pull links past their day, staged bytes that no upload or copy refers to, and what copies that ended left. Nothing that is in use is touched, whatever its age.',
  ],
  arguments: {},
  options: {
    'dry-run': { type: 'flag', short: 'n', help: 'Remove nothing; show exactly what would go.' },
    staging: {
      type: 'flag',
      help: 'Also staged bytes that are younger than sweep.graceSeconds, as soon as nothing refers to them.',
    },
  },
  examples: [
    { command: 'imgapiadm reap --dry-run', what: 'what would be removed' },
    { command: 'imgapiadm reap', what: 'remove it' },
    { command: 'imgapiadm reap --staging', what: 'also what an interrupted upload has just left' },
  ],
  async run({ options: { 'dry-run': dryRun, staging }, context, output, json, signal }) {
    const operator = await context.operator(FILES_PATIENCE);
    const report = await operator.adminReap({ dry_run: dryRun, ...(staging && { staging }), signal });
    if (json) output.json(report);
    else tell(output, report);
    return failuresOf(report).length === 0 ? EXIT.ok : EXIT.failed;
  },
});

function tell(output: Output, report: CleanUpReport): void {
  const found = leftovers(report);
  const columns = [
    { title: 'WHAT', value: (item: (typeof found)[number]) => item.what },
    { title: 'NAME', value: (item: (typeof found)[number]) => item.name },
    { title: 'SIZE', align: 'right', value: (item: (typeof found)[number]) => item.bytes?.words },
  ] as const;
  if (found.length > 0) for (const line of formatTable(columns, found)) output.line(line);
  const verb = report.dry_run ? 'would be removed' : 'removed';
  output.line(`${found.length} ${verb}, ${formatBytes(sizeOf(found))}.`);
  for (const name of report.pulls?.ignored ?? []) output.note(`left alone, not ours: ${printable(name)}`);
  for (const { path, error } of failuresOf(report)) output.note(`not removed: ${printable(`${path}: ${error}`)}`);
}
