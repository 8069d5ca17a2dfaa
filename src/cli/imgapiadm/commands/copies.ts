/** `imgapiadm copies`: the orders to copy images here from other datacenters. */
import { COPY_STATES, type CopyState } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatBytes, formatRate, formatShare } from '../../output/bytes.ts';
import { formatDuration } from '../../output/duration.ts';
import { askedImage, etaOf, percentOf } from '../../shared/copying/describe.ts';
import { defineCommand } from '../connection/define-command.ts';

export const COPY_COLUMNS: ColumnSet<CopyStatus> = {
  shortid: { title: 'SHORTID', value: (copy) => copy.image_uuid.slice(0, 8) },
  image: { title: 'IMAGE', value: (copy) => copy.image_uuid },
  name: { title: 'NAME', value: (copy) => nameOf(copy), shrinks: true },
  from: { title: 'FROM', value: (copy) => copy.datacenter, shrinks: true },
  state: { title: 'STATE', value: (copy) => copy.state },
  percent: { title: '%', align: 'right', value: (copy) => String(percentOf(copy)) },
  size: {
    title: 'SIZE',
    align: 'right',
    amount: (copy) => copy.bytes_total,
    value: (copy) => formatBytes(copy.bytes_total),
  },
  bytes: {
    title: 'BYTES',
    amount: (copy) => copy.bytes_done,
    value: (copy) => formatShare(copy.bytes_done, copy.bytes_total),
  },
  rate: {
    title: 'RATE',
    align: 'right',
    amount: (copy) => copy.rate,
    value: (copy) => (copy.rate > 0 ? formatRate(copy.rate) : undefined),
  },
  left: { title: 'LEFT', align: 'right', amount: etaOf, value: leftOf },
  images: { title: 'IMAGES', align: 'right', value: (copy) => String(copy.images.length) },
  when: { title: 'WHEN_UTC', value: ({ finished_at: finished, created_at: created }) => minuteOf(finished ?? created) },
  error: { title: 'ERROR', value: errorOf, shrinks: true },
  account: { title: 'ACCOUNT', value: (copy) => copy.account },
  kind: { title: 'KIND', value: (copy) => copy.kind },
  order: { title: 'ORDER', value: (copy) => copy.order },
  created: { title: 'CREATED', value: (copy) => copy.created_at },
  finished: { title: 'FINISHED', value: (copy) => copy.finished_at },
};

/** What fits a terminal of 80 columns; why a copy failed is worth more. */
const USUAL = ['shortid', 'name', 'from', 'state', 'percent', 'size', 'when'] as const;

export const copies = defineCommand({
  name: 'copies',
  summary: 'list the copies from other datacenters, running and ended',
  description: [
    'The newest hundred. 100 % means that the image is usable, not merely that its bytes are here. WHEN_UTC is when the copy ended, or was ordered.',
    `Columns: ${Object.keys(COPY_COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: {
    state: {
      type: 'value',
      value: 'STATE',
      help: `Only those that are ${COPY_STATES.join(', ')}.`,
      check: (value) =>
        (COPY_STATES as readonly string[]).includes(value) ? undefined : `one of ${COPY_STATES.join(', ')}`,
    },
    from: { type: 'value', value: 'DC', help: 'Only those from this datacenter.' },
    limit: {
      type: 'value',
      value: 'N',
      help: 'At most N of them, up to 1000.',
      check: (value) =>
        /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 1000 ? undefined : 'from 1 to 1000',
    },
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'imgapiadm copies --state failed -o image,from,error', what: 'what went wrong, and why' },
    { command: 'imgapiadm copies cancel 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'end one of them' },
  ],
  async run({ options, context, output, json, signal }) {
    const { state, from: datacenter, limit } = options;
    // A wrong column is told before anything is asked.
    chooseColumns(COPY_COLUMNS, options, USUAL);
    const client = await context.client();
    const chosen = {
      ...(state !== undefined && { state: state as CopyState }),
      ...(datacenter !== undefined && { datacenter }),
    };
    const found = await client.listCopies({ ...chosen, ...(limit !== undefined && { limit: Number(limit) }), signal });
    const columns = chooseColumns(COPY_COLUMNS, options, usualFor(found));
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

function usualFor(found: readonly CopyStatus[]): readonly string[] {
  return found.some((copy) => errorOf(copy) !== undefined) ? [...USUAL, 'error'] : USUAL;
}

/** `2017-10-17T21:00`: when it ended, or was ordered. */
function minuteOf(date: string): string {
  return date.replace(/:\d\d(\.\d+)?Z$/, '');
}

function nameOf(copy: CopyStatus): string | undefined {
  const image = askedImage(copy);
  return image && `${image.name}@${image.version}`;
}

function leftOf(copy: CopyStatus): string | undefined {
  const eta = etaOf(copy);
  return eta === undefined ? undefined : formatDuration(eta);
}

/** Of the order; while it runs, of the image that is being tried again. */
function errorOf(copy: CopyStatus): string | undefined {
  const error = copy.error ?? copy.images.find((image) => image.error !== undefined)?.error;
  return error && `${error.code}: ${error.message}`;
}
