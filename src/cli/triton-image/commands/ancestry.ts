/** `triton-image ancestry`: the chain of origins that an image builds on. */
import { chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { ANCESTRY_COLUMNS, downward, USUAL_ANCESTRY_COLUMNS } from '../../shared/images/ancestry.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { toImage } from '../image.ts';
import { IMAGE, NAMING, OWNER_OPTION } from '../image-argument.ts';

export const ancestry = defineCommand({
  name: 'ancestry',
  summary: 'list the images that an image builds on',
  description: [
    'The image itself first, then each origin below, down to the base. An origin without a name is not here, or you may not see it. A copy brings your own origins along.',
    NAMING,
    `Columns: ${Object.keys(ANCESTRY_COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE },
  options: { 'shared-by': OWNER_OPTION, ...TABLE_OPTIONS },
  examples: [{ command: 'triton-image ancestry my-image', what: 'what my-image builds on' }],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { 'shared-by': sharedBy } = options;
    const columns = chooseColumns(ANCESTRY_COLUMNS, options, USUAL_ANCESTRY_COLUMNS);
    const whose = sharedBy === undefined ? 'usable' : ({ sharedBy } as const);
    const client = await context.cloudapi();
    const id = await imageId(client, given, { whose }, signal);
    const found = await client.ancestry(id, { signal });
    if (json) {
      const byUuid = new Map(found.map((image) => [image.id, image]));
      output.jsonLines(columns.sorted(found.map(toImage)).map(({ uuid }) => byUuid.get(uuid)));
    } else printTable(output, columns, downward(id, found.map(toImage)), options);
    return undefined;
  },
});
