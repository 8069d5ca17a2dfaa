/** `imgapiadm events`: what happened to images, and who did it. */
import type { ImageEvent } from '#lib/api/schemas/event.ts';
import { usageError } from '../../framework/errors.ts';
import { chooseColumns, printTable } from '../../framework/table-options.ts';
import { EVENT_COLUMNS, EVENT_OPTIONS, eventQuery } from '../../shared/images/events.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

const OF_ONE = ['time', 'kind', 'actor', 'details'] as const;
const OF_ALL = ['time', 'kind', 'shortid', 'actor', 'details'] as const;

export const events = defineCommand({
  name: 'events',
  summary: 'list what happened to an image, or to all of them',
  description: [
    'The newest first. An image that is gone is named by its UUID. ACTOR is the account on whose behalf it happened, an operator, or the linked datacenter that read the image.',
    `Columns: ${Object.keys(EVENT_COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE: { ...IMAGE_ARGUMENT, count: 'optional' } },
  options: {
    ...EVENT_OPTIONS,
    since: {
      type: 'value',
      value: 'DATE',
      help: 'Of all images: only what happened from then on.',
      check: (value) => (Number.isNaN(Date.parse(value)) ? 'a date, such as 2026-01-31T12:00:00Z' : undefined),
    },
  },
  examples: [
    { command: 'imgapiadm events 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'what happened to this image' },
    { command: 'imgapiadm events --kind pull -o time,image,actor', what: 'who read which images' },
    { command: 'imgapiadm -a alice events', what: 'what alice may read' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { since } = options;
    if (given !== undefined && since !== undefined) throw usageError('--since is for the events of all images');
    const shown = chooseColumns(EVENT_COLUMNS, options, given === undefined ? OF_ALL : OF_ONE);
    const client = await context.client();
    const query = { ...eventQuery(options), signal };
    const found: readonly ImageEvent[] =
      given === undefined
        ? await client.listEvents({ ...query, ...(since !== undefined && { since }) })
        : await client.listImageEvents(
            await imageUuid(client, given, { account: await context.account(), signal }),
            query,
          );
    if (json) output.jsonLines(shown.sorted(found));
    else printTable(output, shown, found, options);
    return undefined;
  },
});
