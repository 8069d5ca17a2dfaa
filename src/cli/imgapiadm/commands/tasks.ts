/** `imgapiadm tasks`: what the datacenter does by itself, and how that goes. */
import type { TaskStatus } from '#lib/api/schemas/maintenance.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { defineCommand } from '../connection/define-command.ts';

const COLUMNS: ColumnSet<TaskStatus> = {
  name: { title: 'NAME', value: ({ name }) => name },
  state: { title: 'STATE', value: ({ state }) => state },
  last: { title: 'LAST_UTC', value: ({ last_run: last }) => secondOf(last?.ended_at) },
  took: { title: 'TOOK', align: 'right', value: ({ last_run: last }) => last && `${last.seconds.toFixed(1)} s` },
  result: { title: 'RESULT', value: resultOf, shrinks: true },
  next: { title: 'NEXT_UTC', value: ({ next_run: next }) => secondOf(next) },
  holder: { title: 'HOLDER', value: ({ holder }) => holder?.worker },
  last_worker: { title: 'LAST_WORKER', value: ({ last_run: last }) => last?.worker },
  failures: { title: 'FAILURES', align: 'right', value: ({ failures }) => String(failures) },
  period: { title: 'PERIOD', align: 'right', value: ({ period_seconds: seconds }) => `${seconds} s` },
  what: { title: 'WHAT', value: ({ what }) => what, shrinks: true },
};

const USUAL = ['name', 'state', 'last', 'took', 'next', 'result'] as const;

export const tasks = defineCommand({
  name: 'tasks',
  summary: 'list what the datacenter does by itself, and how that goes',
  description: [
    'Each task is run by one process of the datacenter at a time. RESULT is what the last run did, or why it failed; LAST_UTC is when it ended, TOOK how long it took. HOLDER is the process that runs it now.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [
    { command: 'imgapiadm tasks', what: 'what ran last, and what comes next' },
    { command: 'imgapiadm tasks -o name,period,what', what: 'what they are for' },
    { command: 'imgapiadm tasks -o name,holder,last_worker', what: 'which process runs them' },
  ],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const client = await context.client();
    const found = await client.listTasks({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

/** `2017-10-17T21:00:05` */
function secondOf(date: string | undefined): string | undefined {
  return date?.replace(/\.\d+Z$/, '');
}

function resultOf({ last_run: last }: TaskStatus): string | undefined {
  if (last?.error !== undefined) return `failed: ${last.error}`;
  return last && didOf(last.did);
}

/** `objects 3, bytes 1048576`; `ok` when there was nothing to do. */
function didOf(did: Readonly<Record<string, unknown>> = {}): string {
  const parts = Object.entries(did).map(([name, value]) => `${name} ${value}`);
  return parts.length > 0 ? parts.join(', ') : 'ok';
}
