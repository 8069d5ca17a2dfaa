/** `triton-image clone`: an image of one's own of what somebody else shares. */
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { imageLabel } from '../image.ts';
import { IMAGE, OWNER_OPTION } from '../image-argument.ts';

export const clone = defineCommand({
  name: 'clone',
  summary: 'make an image of your own of one that is shared with you',
  description: ['It has a UUID of its own, and stays when the other one is no longer shared with you, or is deleted.'],
  arguments: { IMAGE: { ...IMAGE, help: `${IMAGE.help} Without -S OWNER only a UUID finds what is shared.` } },
  options: { 'shared-by': OWNER_OPTION },
  examples: [{ command: 'triton-image clone -S alice my-image', what: 'of the one that alice shares' }],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { 'shared-by': sharedBy } = options;
    const client = await context.cloudapi();
    const whose = sharedBy === undefined ? 'usable' : ({ sharedBy } as const);
    const image = await client.clone(await imageId(client, given, { whose }, signal), { signal });
    if (json) output.json(image);
    else output.line(`Image ${printable(imageLabel(image))} is yours: ${image.id}`);
    return undefined;
  },
});
