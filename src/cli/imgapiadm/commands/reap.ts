/** `imgapiadm reap`: removes what is left behind, or shows what would go. */

import type { CleanUpReport } from '#lib/api/schemas/maintenance.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import {
  type ColumnSet,
  chooseColumns,
  printTable,
  TABLE_OPTIONS,
  type Table,
  type TableChoice,
} from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { FILES_PATIENCE } from '../connection/patience.ts';
import { failuresOf, type Leftover, leftovers, sizeOf } from '../upkeep/reap-report.ts';

const COLUMNS: ColumnSet<Leftover> = {
  what: { title: 'WHAT', value: ({ what }) => what },
  name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
  size: { title: 'SIZE', align: 'right', amount: ({ bytes }) => bytes?.count, value: ({ bytes }) => bytes?.words },
};

export const reap = defineCommand({
  name: 'reap',
  summary: 'remove what is left behind: old pull links, staging, failed copies',
  description: [
    'The server does this by itself from time to time. What goes is shown by name and size: pull links that have expired, staged bytes that no upload or copy refers to, and what copies that ended left. Nothing that is in use is touched, whatever its age.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: {
    'dry-run': { type: 'flag', short: 'n', help: 'Remove nothing; show exactly what would go.' },
    staging: {
      type: 'flag',
      help: 'Also staged bytes that are younger than sweep.graceSeconds, as soon as nothing refers to them.',
    },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'imgapiadm reap --dry-run', what: 'what would be removed' },
    { command: 'imgapiadm reap', what: 'remove it' },
    { command: 'imgapiadm reap --staging', what: 'also what an interrupted upload has just left' },
  ],
  async run({ options, context, output, json, signal }) {
    const { 'dry-run': dryRun, staging } = options;
    const table = chooseColumns(COLUMNS, options, Object.keys(COLUMNS));
    const operator = await context.operator(FILES_PATIENCE);
    const report = await operator.adminReap({ dry_run: dryRun, ...(staging && { staging }), signal });
    if (json) output.json(report);
    else tell(output, report, table, options);
    return failuresOf(report).length === 0 ? EXIT.ok : EXIT.failed;
  },
});

function tell(output: Output, report: CleanUpReport, table: Table<Leftover>, choice: TableChoice): void {
  const found = leftovers(report);
  if (found.length > 0) printTable(output, table, found, choice);
  const verb = report.dry_run ? 'would be removed' : 'removed';
  output.line(`${found.length} ${verb}, ${formatBytes(sizeOf(found))}.`);
  for (const name of report.pulls?.ignored ?? []) output.note(`left alone, not ours: ${printable(name)}`);
  for (const { path, error } of failuresOf(report)) output.note(`not removed: ${printable(`${path}: ${error}`)}`);
}
