/** `imgapiadm top`: what moves now. */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { pause } from '#lib/runtime/timers.ts';
import { chooseColumns, TABLE_OPTIONS, type Table } from '../../framework/table-options.ts';
import { formatRate } from '../../output/bytes.ts';
import { counted } from '../../output/counted.ts';
import { LiveRegion } from '../../output/live-region.ts';
import type { Output } from '../../output/output.ts';
import { formatTable } from '../../output/table.ts';
import { truncate } from '../../output/text-width.ts';
import { defineCommand } from '../connection/define-command.ts';
import { COPY_COLUMNS } from './copies.ts';

const MOST = 1000;
const SECONDS = 2;
/** Of a terminal, for what is beside the table. */
const OTHER_LINES = 3;

const USUAL = ['shortid', 'name', 'from', 'percent', 'bytes', 'rate', 'left'] as const;

export const top = defineCommand({
  name: 'top',
  summary: 'show which copies move now, and how fast',
  description: [
    'On a terminal the list is drawn again every few seconds until Ctrl-C. Elsewhere, and with --once or --json, it is shown once. The fastest are at the top.',
    `Columns: ${Object.keys(COPY_COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: {
    once: { type: 'flag', help: 'Show it once and leave.' },
    every: {
      type: 'value',
      value: 'SECONDS',
      help: `How often to look. Default: ${SECONDS}.`,
      check: (value) => (/^[1-9]\d{0,3}$/.test(value) ? undefined : 'a whole number of seconds from 1 to 9999'),
    },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'imgapiadm top', what: 'until Ctrl-C' },
    { command: 'imgapiadm top --once -s left', what: 'what is done first' },
  ],
  async run({ options, context, output, json, signal }) {
    const { once, every = String(SECONDS), sort } = options;
    const table = chooseColumns(COPY_COLUMNS, { ...options, sort: sort.length > 0 ? sort : ['-rate'] }, USUAL);
    const client = await context.client();
    if (json) output.jsonLines(table.sorted(await moving(client, signal)));
    else if (once || !output.terminal || output.width === undefined) {
      for (const line of linesOf(await moving(client, signal), table, options['no-header'], output.width)) {
        output.line(line);
      }
    } else await redraw(client, table, options['no-header'], Number(every) * 1000, output, signal);
    return undefined;
  },
});

async function redraw(
  client: ImgapiClient,
  table: Table<CopyStatus>,
  noHeader: boolean,
  milliseconds: number,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const region = new LiveRegion(output);
  for (;;) {
    const copies = await moving(client, signal);
    const { columns, rows } = output.terminal ?? { columns: 80, rows: 24 };
    const lines = linesOf(copies, table, noHeader, columns - 1);
    const room = Math.max(1, rows - OTHER_LINES);
    const shown = lines.length > room ? [...lines.slice(0, room), `and ${lines.length - room} more`] : lines;
    region.draw(shown.map((line) => truncate(line, columns - 1)));
    await pause(milliseconds, signal);
  }
}

function moving(client: ImgapiClient, signal: AbortSignal): Promise<readonly CopyStatus[]> {
  return client.listCopies({ state: 'running', limit: MOST, signal });
}

/** How much moves in all, then the copies. */
function linesOf(
  copies: readonly CopyStatus[],
  table: Table<CopyStatus>,
  noHeader: boolean,
  width: number | undefined,
): string[] {
  const rate = copies.reduce((sum, copy) => sum + copy.rate, 0);
  const total =
    copies.length === 0
      ? 'Nothing is being copied here.'
      : `${counted(copies.length, 'order')} to copy, ${formatRate(rate)}`;
  if (copies.length === 0) return noHeader ? [] : [total];
  const rows = formatTable(table.columns, table.sorted(copies), { header: !noHeader, width });
  return noHeader ? rows : [total, ...rows];
}
