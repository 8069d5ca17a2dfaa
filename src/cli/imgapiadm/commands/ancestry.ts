/** `imgapiadm ancestry`: the chain of origins that an image builds on. */

import { chooseColumns, printTable, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { ANCESTRY_COLUMNS, type Ancestor, downward, USUAL_ANCESTRY_COLUMNS } from '../../shared/images/ancestry.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

export const ancestry = defineCommand({
  name: 'ancestry',
  summary: 'list the images that an image builds on',
  description: [
    'The image itself first, then each origin below, down to the base. An origin without a name is not here, or the account may not see it.',
    `Columns: ${Object.keys(ANCESTRY_COLUMNS).join(', ')}.`,
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT },
  options: TABLE_OPTIONS,
  examples: [
    {
      command: 'imgapiadm ancestry 0965c1f4-6995-c095-ecb5-c1a80be2b08e',
      what: 'what a copy of this image brings along',
    },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const columns = chooseColumns(ANCESTRY_COLUMNS, options, USUAL_ANCESTRY_COLUMNS);
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const found: readonly Ancestor[] = await client.getImageAncestry(uuid, { signal });
    if (json) output.jsonLines(columns.sorted(found));
    else printTable(output, columns, downward(uuid, found), options);
    return undefined;
  },
});
