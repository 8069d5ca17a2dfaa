/** `imgapiadm fan-out` and `fan-outs`: one order to copy an image to several datacenters, and how far each of them is. */
import type { FanOut } from '#lib/api/schemas/fan-out.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { pause } from '#lib/runtime/timers.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatShare } from '../../output/bytes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { FINISH_BY_OPTION } from '../../shared/copying/finish-by.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

const LOOK_MS = 500;

interface Row {
  readonly fanOut: FanOut;
  readonly target: FanOut['datacenters'][number];
}

const COLUMNS: ColumnSet<Row> = {
  fan_out: { title: 'FAN_OUT', value: ({ fanOut }) => fanOut.uuid },
  image: { title: 'IMAGE', value: ({ fanOut }) => fanOut.image_uuid },
  shortid: { title: 'SHORTID', value: ({ fanOut }) => fanOut.image_uuid.slice(0, 8) },
  to: { title: 'TO', value: ({ target }) => target.datacenter, shrinks: true },
  state: { title: 'STATE', value: ({ target }) => target.state },
  bytes: {
    title: 'BYTES',
    amount: ({ target }) => target.bytes_done,
    value: ({ target }) => formatShare(target.bytes_done, target.bytes_total),
  },
  order: { title: 'ORDER', value: ({ target }) => target.order },
  tries: { title: 'TRIES', align: 'right', value: ({ target }) => String(target.tries) },
  all: { title: 'ALL', value: ({ fanOut }) => fanOut.state },
  created: { title: 'CREATED', value: ({ fanOut }) => fanOut.created_at },
  error: {
    title: 'ERROR',
    value: ({ target: { error } }) => error && `${error.code}: ${error.message}`,
    shrinks: true,
  },
};
const USUAL = ['fan_out', 'to', 'state', 'bytes', 'error'] as const;

const UUID = { help: 'The fan-out; see the command fan-outs.' } as const;

export const fanOut = defineCommand({
  name: 'fan-out',
  summary: 'copy an image to several linked datacenters, with one order',
  description: [
    'Each of them has to accept orders of this datacenter (links.acceptOrders there). One that cannot be reached is tried again. The order belongs to the server: interrupting this command does not end it.',
    'With --together the image is shown in none of them before all have verified its bytes.',
  ],
  arguments: {
    IMAGE: IMAGE_ARGUMENT,
    DC: { help: 'Names of linked datacenters, or "all".', count: 'some' },
  },
  options: {
    together: { type: 'flag', help: 'Show the image nowhere before it is verified everywhere.' },
    'finish-by': FINISH_BY_OPTION,
    'no-wait': { type: 'flag', help: 'Order the copies and leave.' },
  },
  examples: [
    {
      command:
        'imgapiadm fan-out 0965c1f4-6995-c095-ecb5-c1a80be2b08e all --together -a a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
      what: 'an image of this account, to every linked datacenter at once',
    },
  ],
  async run({ options, arguments: { IMAGE: given, DC: names }, context, output, json, signal }) {
    const client = await context.client();
    const account = await context.account();
    const uuid = await imageUuid(client, given, { account, signal });
    const placed = await client.copyImageToDcs(uuid, {
      datacenters: names.join(','),
      ...(options.together && { together: true }),
      ...(options['finish-by'] !== undefined && { finish_by: options['finish-by'] }),
      signal,
    });
    const ended = options['no-wait'] ? placed : await untilEnded(client, placed, output, json, signal);
    if (json) output.json(ended);
    else if (options['no-wait']) output.line(`Ordered: fan-out ${ended.uuid}. Look at it with: imgapiadm fan-outs`);
    if (ended.state === 'succeeded' || options['no-wait']) return EXIT.ok;
    throw new CommandError(`fan-out ${ended.uuid} ended as ${ended.state}: ${problems(ended)}`, {
      code: 'FanOutFailed',
    });
  },
});

async function untilEnded(
  client: ImgapiClient,
  placed: FanOut,
  output: Output,
  json: boolean,
  signal: AbortSignal,
): Promise<FanOut> {
  const told = new Map<string, string>();
  for (let now = placed; ; now = await client.getFanOut(placed.uuid, { signal })) {
    for (const target of json ? [] : now.datacenters) {
      const text = `${printable(target.datacenter)}: ${target.state}${target.error ? ` (${printable(target.error.message)})` : ''}`;
      if (told.get(target.datacenter) !== text) output.line(text);
      told.set(target.datacenter, text);
    }
    if (now.state !== 'running') return now;
    await pause(LOOK_MS, signal);
  }
}

function problems({ datacenters }: FanOut): string {
  const failed = datacenters.filter(({ state }) => state !== 'succeeded');
  return failed
    .map(
      ({ datacenter, state, error }) =>
        `${printable(datacenter)} ${state}${error ? `, ${printable(error.message)}` : ''}`,
    )
    .join('; ');
}

export const fanOuts = defineCommand({
  name: 'fan-outs',
  summary: 'list the orders to several datacenters, and how far each of them is',
  description: [`The newest hundred, a line for each datacenter. Columns: ${Object.keys(COLUMNS).join(', ')}.`],
  arguments: {},
  options: { ...TABLE_OPTIONS },
  examples: [{ command: 'imgapiadm fan-outs -o image,to,state,error', what: 'what is missing where, and why' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const client = await context.client();
    const found = await client.listFanOuts({ signal });
    const rows = found.flatMap((one) => one.datacenters.map((target) => ({ fanOut: one, target })));
    // In the order in which the table would begin with each.
    if (json) output.jsonLines(new Set(columns.sorted(rows).map(({ fanOut }) => fanOut)));
    else printTable(output, columns, rows, options);
    return undefined;
  },
});

export const fanOutsCancel = defineCommand({
  name: 'fan-outs cancel',
  summary: 'cancel what has not ended yet of an order to several datacenters',
  arguments: { UUID },
  options: {},
  examples: [{ command: 'imgapiadm fan-outs cancel 1d4b0cc4-3a39-4d4c-9b9a-9c4e2f0bb0a1', what: 'end it' }],
  async run({ arguments: { UUID: uuid }, context, output, json, signal }) {
    const client = await context.client();
    const canceled = await client.cancelFanOut(uuid, { signal });
    if (json) output.json(canceled);
    else output.line(`Fan-out ${canceled.uuid} is being canceled.`);
    return undefined;
  },
});

export const fanOutsRetry = defineCommand({
  name: 'fan-outs retry',
  summary: 'try the datacenters again in which the copy failed or was canceled',
  arguments: { UUID },
  options: { to: { type: 'value', value: 'DC', help: 'Only this one.' }, 'finish-by': FINISH_BY_OPTION },
  examples: [{ command: 'imgapiadm fan-outs retry 1d4b0cc4-3a39-4d4c-9b9a-9c4e2f0bb0a1', what: 'try again' }],
  async run({ options, arguments: { UUID: uuid }, context, output, json, signal }) {
    const { to: datacenter, 'finish-by': finishBy } = options;
    const client = await context.client();
    const retried = await client.retryFanOut(uuid, {
      ...(datacenter !== undefined && { datacenter }),
      ...(finishBy !== undefined && { finish_by: finishBy }),
      signal,
    });
    if (json) output.json(retried);
    else output.line(`Fan-out ${retried.uuid} is tried again.`);
    return undefined;
  },
});
