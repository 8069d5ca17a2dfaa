/** What a check of a link found, and what to mend. */
import type { LinkCheck, LinkCheckReport } from '#lib/api/schemas/datacenter.ts';
import { type ColumnSet, chooseColumns, printTable, type TableChoice } from '../../framework/table-options.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';

const COLUMNS: ColumnSet<LinkCheck> = {
  check: { title: 'CHECK', value: ({ check }) => check },
  result: { title: 'RESULT', value: ({ ok }) => (ok ? 'ok' : 'FAILED') },
  detail: { title: 'DETAIL', value: ({ detail }) => detail, shrinks: true },
  mend: { title: 'MEND', value: ({ ok, mend }) => (ok ? undefined : mend), shrinks: true },
};
export const CHECK_COLUMNS = Object.keys(COLUMNS);

const AS_IT_IS: TableChoice = { 'no-header': false, columns: [], sort: [] };

/** @throws CommandError of usage for an unknown column; so call it before anything is asked of a server */
export function checkTable(choice: TableChoice = AS_IT_IS) {
  const table = chooseColumns(COLUMNS, choice, ['check', 'result', 'detail']);
  return (output: Output, { checks }: Pick<LinkCheckReport, 'checks'>): void => {
    printTable(output, table, checks, choice);
    for (const { check, ok, mend } of checks) {
      if (!ok && mend !== undefined) output.line(`To mend "${printable(check)}": ${printable(mend)}.`);
    }
  };
}
