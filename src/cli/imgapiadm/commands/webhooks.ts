/** `imgapiadm webhooks`, `imgapiadm webhooks retry`: who is told of copies that ended, and how that goes. */
import type { WebhookStatus } from '#lib/api/schemas/webhook.ts';
import { type ColumnSet, chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { defineCommand } from '../connection/define-command.ts';

const COLUMNS: ColumnSet<WebhookStatus> = {
  name: { title: 'NAME', value: ({ name }) => name },
  queued: { title: 'QUEUED', align: 'right', value: ({ queued }) => String(queued) },
  given_up: { title: 'GIVEN_UP', align: 'right', value: ({ given_up: count }) => String(count) },
  oldest: { title: 'OLDEST_UTC', value: ({ oldest }) => secondOf(oldest) },
  last: { title: 'LAST_UTC', value: ({ last }) => secondOf(last?.time) },
  answer: { title: 'ANSWER', value: ({ last }) => last && (last.error ?? String(last.status)), shrinks: true },
  url: { title: 'URL', value: ({ url }) => url, shrinks: true },
  events: { title: 'EVENTS', value: ({ events }) => events.join(' '), shrinks: true },
};

const USUAL = ['name', 'queued', 'given_up', 'oldest', 'last', 'answer'] as const;

export const webhooks = defineCommand({
  name: 'webhooks',
  summary: 'list who is told of copies and fan-outs that ended, and how that goes',
  description: [
    'They are configured as `webhooks`. OLDEST_UTC is when the oldest message was written that is still queued; LAST_UTC is when a message was last sent, ANSWER what came back.',
    `Columns: ${Object.keys(COLUMNS).join(', ')}.`,
  ],
  arguments: {},
  options: TABLE_OPTIONS,
  examples: [{ command: 'imgapiadm webhooks -o name,url,events', what: 'who is told of what' }],
  async run({ options, context, output, json, signal }) {
    const columns = chooseColumns(COLUMNS, options, USUAL);
    const client = await context.client();
    const found = await client.adminListWebhooks({ signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});

export const webhooksRetry = defineCommand({
  name: 'webhooks retry',
  summary: 'have the messages of a webhook sent again at once',
  description: ['Those that wait for their next try, and those that were given up. They are tried for another day.'],
  arguments: { NAME: { help: 'The webhook, by its name in the configuration.' } },
  options: {},
  examples: [{ command: 'imgapiadm webhooks retry tickets', what: 'once the other side is up again' }],
  async run({ arguments: { NAME: name }, context, output, json, signal }) {
    const client = await context.client();
    const { retried } = await client.adminRetryWebhook(name, { signal });
    if (json) output.json({ retried });
    else output.line(`${retried === 1 ? '1 message is' : `${retried} messages are`} sent again.`);
    return undefined;
  },
});

/** `2017-10-17T21:00:05` */
function secondOf(date: string | undefined): string | undefined {
  return date?.replace(/\.\d+Z$/, '');
}
