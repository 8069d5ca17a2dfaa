/** `imgapiadm copies`: the orders to copy images here from other datacenters. */
import { COPY_STATES, type CopyStatus } from '#lib/client/types.ts';
import { defineCommand } from '../connection/define-command.ts';
import { askedImage, etaOf, percentOf } from '../copying/describe.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../framework/table-options.ts';
import { formatRate, formatShare } from '../output/bytes.ts';
import { formatDuration } from '../output/duration.ts';

const COLUMNS: ColumnSet<CopyStatus> = {
  image: { title: 'IMAGE', value: (copy) => copy.image_uuid },
  name: { title: 'NAME', value: (copy) => nameOf(copy) },
  from: { title: 'FROM', value: (copy) => copy.datacenter },
  state: { title: 'STATE', value: (copy) => copy.state },
  percent: { title: '%', align: 'right', value: (copy) => String(percentOf(copy)) },
  bytes: { title: 'BYTES', value: (copy) => formatShare(copy.bytes_done, copy.bytes_total) },
  rate: { title: 'RATE', align: 'right', value: (copy) => (copy.rate > 0 ? formatRate(copy.rate) : undefined) },
  left: { title: 'LEFT', align: 'right', value: leftOf },
  images: { title: 'IMAGES', align: 'right', value: (copy) => String(copy.images.length) },
  error: { title: 'ERROR', value: errorOf },
  account: { title: 'ACCOUNT', value: (copy) => copy.account },
  kind: { title: 'KIND', value: (copy) => copy.kind },
  order: { title: 'ORDER', value: (copy) => copy.order },
  created: { title: 'CREATED', value: (copy) => copy.created_at },
  finished: { title: 'FINISHED', value: (copy) => copy.finished_at },
};

const USUAL = ['image', 'name', 'from', 'state', 'percent', 'bytes', 'rate', 'left', 'error'] as const;

export const copies = defineCommand({
  name: 'copies',
  summary: 'list the copies from other datacenters, running and ended',
  description: [
    'The newest hundred. 100 % means that the image is usable, not merely that its bytes are here.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
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
    const columns = chooseColumns(COLUMNS, options.columns, USUAL);
    const client = await context.client();
    const query = { state, datacenter, limit };
    const found = await client.call<CopyStatus[]>({ method: 'GET', path: '/copies', query }, { signal });
    if (json) output.json(found);
    else printTable(output, columns, found, options);
    return undefined;
  },
});

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
