/** `triton-image events`: what happened to one of the account's images, and who did it. */
import { chooseColumns, printTable } from '../../framework/table-options.ts';
import { EVENT_COLUMNS, EVENT_OPTIONS, eventQuery } from '../../shared/images/events.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

const USUAL = ['time', 'kind', 'actor', 'details'] as const;

export const events = defineCommand({
  name: 'events',
  summary: 'list what happened to one of your images',
  description: [
    `The newest first, while the image was yours. ${NAMING_OWN}`,
    'One that you deleted or gave away is named by its UUID.',
    `Columns: ${Object.keys(EVENT_COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE },
  options: EVENT_OPTIONS,
  examples: [
    { command: 'triton-image events my-image', what: 'what happened to my-image' },
    { command: 'triton-image events --kind share my-image', what: 'when it was shared, and with whom' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const columns = chooseColumns(EVENT_COLUMNS, options, USUAL);
    const client = await context.cloudapi();
    const id = await imageId(client, given, { whose: 'own' }, signal);
    const found = await client.events(id, eventQuery(options), { signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, found, options);
    return undefined;
  },
});
