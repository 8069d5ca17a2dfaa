/** `imgapiadm copies cancel`: cancels running copies. */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { printable } from '../../output/printable.ts';
import { IMAGE_ARGUMENT, imageUuids } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

export const copiesCancel = defineCommand({
  name: 'copies cancel',
  aliases: ['cancel'],
  summary: 'cancel running copies',
  description: ['An image that another copy also needs keeps coming for that one.'],
  arguments: { IMAGE: { ...IMAGE_ARGUMENT, count: 'some' } },
  options: {},
  examples: [{ command: 'imgapiadm copies cancel 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'end a copy' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    // All are known before the first one ends.
    const uuids = await imageUuids(client, given, { account: await context.account(), signal });
    const canceled: CopyStatus[] = [];
    for (const uuid of uuids) {
      const status = await client.cancelImageCopy(uuid, { signal });
      canceled.push(status);
      if (!json) output.line(`Copy of ${uuid} from ${printable(status.datacenter)} is canceled.`);
    }
    if (json) output.jsonLines(canceled);
    return undefined;
  },
});
