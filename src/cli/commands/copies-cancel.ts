/** `imgapiadm copies cancel`: ends copies that run. */
import type { CopyStatus } from '#lib/client/types.ts';
import { defineCommand } from '../connection/define-command.ts';
import { checkUuid } from '../connection/options.ts';
import { printable } from '../output/printable.ts';

export const copiesCancel = defineCommand({
  name: 'copies cancel',
  aliases: ['cancel'],
  summary: 'cancel copies that run',
  description: ['An image that another copy needs as well goes on its way for that one.'],
  arguments: { IMAGE: { count: 'some', help: 'UUID of the image that is being copied.', check: checkUuid } },
  options: {},
  examples: [{ command: 'imgapiadm copies cancel 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'end a copy' }],
  async run({ arguments: { IMAGE: uuids }, context, output, json, signal }) {
    const client = await context.client();
    const canceled: CopyStatus[] = [];
    for (const uuid of uuids) {
      const status = await client.cancelCopy(uuid, { signal });
      canceled.push(status);
      if (!json) output.line(`Copy of ${uuid} from ${printable(status.datacenter)} is canceled.`);
    }
    if (json) output.json(canceled);
    return undefined;
  },
});
