/** `imgapiadm migrate`: moves a running datacenter to other engines. */
import type { Migration } from '#lib/api/schemas/migration.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { pause } from '#lib/runtime/timers.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatBytes, formatShare } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { SHORT_PATIENCE } from '../connection/patience.ts';

const COLUMNS: ColumnSet<Migration> = {
  kind: { title: 'KIND', value: ({ kind }) => kind },
  from: { title: 'FROM', value: ({ from }) => from },
  to: { title: 'TO', value: ({ to }) => to },
  state: { title: 'STATE', value: ({ state }) => state },
  phase: { title: 'PHASE', value: ({ phase }) => phase },
  done: { title: 'DONE', align: 'right', value: ({ done }) => String(done) },
  total: { title: 'TOTAL', align: 'right', value: ({ total }) => String(total) },
  bytes: {
    title: 'BYTES',
    amount: ({ bytes_done: bytes }) => bytes,
    value: ({ bytes_done: bytes = 0, bytes_total: total }) =>
      total === undefined ? undefined : formatShare(bytes, total),
  },
  failed: { title: 'FAILED', align: 'right', value: ({ failed = [] }) => String(failed.length) },
  ordered: { title: 'ORDERED_UTC', value: ({ ordered_at: at }) => secondOf(at) },
  ended: { title: 'ENDED_UTC', value: ({ ended_at: at }) => secondOf(at) },
  error: { title: 'ERROR', value: ({ error }) => error, shrinks: true },
};
const USUAL = ['kind', 'from', 'to', 'state', 'phase', 'done', 'total', 'bytes', 'ended'] as const;

const POLL_MS = 1000;
const UNAVAILABLE = 503;

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'move the documents or the files of a running datacenter to another engine',
  description: [
    'The server carries it out: the command orders it and shows how it goes, and can be left with Ctrl-C. The same command again watches on; after a failure it goes on where that ended. The new engine must have its section in the configuration of all processes first.',
    'WHAT is documents (to local, postgres or moray) or files (to local, manta or s3). Requests wait for a few seconds while the documents switch over; none fails.',
  ],
  arguments: { WHAT: { help: '`documents` or `files`.' } },
  options: {
    to: { type: 'value', value: 'ENGINE', help: 'The engine to move to; required.' },
    from: { type: 'value', value: 'ENGINE', help: 'Of files: the store to empty. Default: local.' },
    'dry-run': { type: 'flag', short: 'n', help: 'Order nothing; show what would be moved.' },
    offline: {
      type: 'flag',
      help: 'Away from Moray: all other processes, and any older IMGAPI, are stopped, and requests get 503 until all has moved.',
    },
    detach: { type: 'flag', help: 'Only order it; `imgapiadm migrations` shows how it goes.' },
  },
  examples: [
    { command: 'imgapiadm migrate documents --to postgres --dry-run', what: 'what would be moved' },
    { command: 'imgapiadm migrate documents --to postgres', what: 'move it, and watch' },
    { command: 'imgapiadm migrate files --to s3', what: 'move the files of all images out of the local store' },
  ],
  async run({ arguments: { WHAT: kind }, options, context, output, json, signal }) {
    const { to = '', from, 'dry-run': dryRun, detach, offline } = options;
    const operator = await context.operator(SHORT_PATIENCE);
    const wish = {
      kind,
      to,
      ...(from !== undefined && { from }),
      ...(dryRun && { dry_run: dryRun }),
      ...(offline && { offline }),
    };
    let found = await operator.adminMigrate({ ...wish, signal });
    let shown = '';
    for (;;) {
      const text = json ? '' : progressText(found);
      if (text !== shown) output.line(text);
      shown = text;
      if (found.state !== 'running' || detach) break;
      await pause(POLL_MS, signal);
      found = (await look(operator, signal)).find((one) => one.kind === kind) ?? found;
    }
    if (json) output.json(found);
    else tellFailures(output, found);
    return isGood(found) ? EXIT.ok : EXIT.failed;
  },
});

export const migrations = defineCommand({
  name: 'migrations',
  summary: 'show how migrations go, or how the last ones ended',
  description: [`What went wrong is said on standard error. Columns: ${Object.keys(COLUMNS).join(', ')}.`],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [{ command: 'imgapiadm migrations', what: 'the last migration of each kind' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const found = await (await context.operator(SHORT_PATIENCE)).adminListMigrations({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else {
      printTable(output, columns, found, options);
      for (const one of found) tellFailures(output, one);
    }
    return undefined;
  },
});

/** Nothing new while the server has to wait for the move itself. */
async function look(operator: ImgapiClient, signal: AbortSignal): Promise<readonly Migration[]> {
  try {
    return await operator.adminListMigrations({ signal });
  } catch (error) {
    if (error instanceof ImgapiError && error.statusCode === UNAVAILABLE) return [];
    throw error;
  }
}

function isGood({ state, failed = [] }: Migration): boolean {
  return state !== 'failed' && failed.length === 0;
}

/** `documents from local to postgres: running, copying, 1200 of 3000` */
function progressText(migration: Migration): string {
  const { kind, from, to, state, phase, done, total, bytes_done: bytesDone, bytes_total: bytesTotal } = migration;
  const what = phase ? `${state}, ${phase}` : state;
  const bytes = bytesTotal === undefined ? '' : `, ${formatBytes(bytesDone ?? 0)} of ${formatBytes(bytesTotal)}`;
  const rate = rateOf(migration);
  return printable(`${kind} from ${from} to ${to}: ${what}, ${done} of ${total}${bytes}${rate}`);
}

function rateOf({ ordered_at: ordered, bytes_done: bytes, state }: Migration): string {
  const seconds = (Date.now() - Date.parse(ordered)) / 1000;
  return state === 'running' && bytes !== undefined && seconds > 1 ? `, ${formatBytes(bytes / seconds)}/s` : '';
}

function tellFailures(output: Output, { error, failed = [] }: Migration): void {
  if (error !== undefined) output.note(printable(error));
  for (const one of failed) output.note(printable(`${one.what}: ${one.error}`));
}

/** `2017-10-17T21:00:05` */
function secondOf(date: string | undefined): string | undefined {
  return date?.replace(/\.\d+Z$/, '');
}
