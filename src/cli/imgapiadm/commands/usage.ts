/** `imgapiadm usage`: who uses an image. */
import { TABLE_OPTIONS } from '../../framework/table-options.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { USAGE_TABLE_HELP, usageReport } from '../../shared/images/usage.ts';
import { defineCommand } from '../connection/define-command.ts';

export const usage = defineCommand({
  name: 'usage',
  summary: 'tell who uses an image',
  description: [
    'The images that build on it, the linked datacenters that have it, and, where VMAPI is configured, the machines that were made of it.',
    'With --account only what that account may see; which datacenters have it is told to its owner and to operators.',
    USAGE_TABLE_HELP,
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT },
  options: TABLE_OPTIONS,
  examples: [
    { command: 'imgapiadm usage base-64@17.4.0', what: 'can it be given up?' },
    { command: 'imgapiadm usage base-64@17.4.0 -H -o uuid,kind', what: 'for a script' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const tell = usageReport(options);
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const found = await client.getImageUsage(uuid, { signal });
    if (json) output.json(found);
    else tell(output, found);
    return undefined;
  },
});
