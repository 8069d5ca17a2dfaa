/** `triton-image usage`: who uses an image, as far as the account may see it. */
import { TABLE_OPTIONS } from '../../framework/table-options.ts';
import { USAGE_TABLE_HELP, usageReport } from '../../shared/images/usage.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

export const usage = defineCommand({
  name: 'usage',
  summary: 'tell who uses one of your images',
  description: [
    `The images that build on it, the datacenters that have it, and your machines that were made of it. ${NAMING_OWN}`,
    'Images of others are listed only if you can see them, and machines of others never: that nobody is listed does not mean that nobody uses it.',
    USAGE_TABLE_HELP,
  ],
  arguments: { IMAGE },
  options: TABLE_OPTIONS,
  examples: [{ command: 'triton-image usage my-image', what: 'can it be given up?' }],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const tell = usageReport(options);
    const client = await context.cloudapi();
    const id = await imageId(client, given, { whose: 'own' }, signal);
    const found = await client.usage(id, { signal });
    if (json) output.json(found);
    else tell(output, found);
    return undefined;
  },
});
