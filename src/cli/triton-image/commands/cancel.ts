/** `triton-image cancel`: cancels running copies. */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { printable } from '../../output/printable.ts';
import { askedImage, labelOf } from '../../shared/copying/describe.ts';
import { isComing } from '../coming.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

export const cancel = defineCommand({
  name: 'cancel',
  summary: 'cancel running copies',
  description: [
    'An image that another copy also needs keeps coming for that one.',
    `${NAMING_OWN} One that is on its way is preferred to others of that name.`,
  ],
  arguments: { IMAGE: { ...IMAGE, count: 'some' } },
  options: {},
  examples: [{ command: 'triton-image -p us-west-1 cancel my-image', what: 'end its copy to us-west-1' }],
  async run({ arguments: { IMAGE: images }, context, output, json, signal }) {
    const client = await context.cloudapi();
    const canceled: CopyStatus[] = [];
    for (const given of images) {
      const id = await imageId(client, given, { whose: 'own', state: 'all', rather: isComing }, signal);
      const status = await client.cancelImageCopy(id, { signal });
      canceled.push(status);
      if (!json) output.line(`Copy of ${labelWords(status)} from ${printable(status.datacenter)} is canceled.`);
    }
    if (json) output.jsonLines(canceled);
    return undefined;
  },
});

function labelWords(status: CopyStatus): string {
  const image = askedImage(status);
  return image ? labelOf(image) : status.image_uuid;
}
