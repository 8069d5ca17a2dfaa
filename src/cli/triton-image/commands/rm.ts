/** `triton-image rm`: deletes images of the account. */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../define-command.ts';
import { findImage } from '../find-image.ts';
import { imageLabel } from '../image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

export const rm = defineCommand({
  name: 'rm',
  aliases: ['delete'],
  summary: 'delete images of your own',
  description: [
    `${NAMING_OWN} A NAME is refused when several of them have it. One that is on its way here is canceled.`,
    'What was active can be restored for as long as the datacenter keeps it; see triton-image deleted.',
  ],
  arguments: { IMAGE: { ...IMAGE, count: 'some' } },
  options: {},
  examples: [{ command: 'triton-image rm my-image@1.0.0', what: 'this version' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.cloudapi();
    // All are known before the first one goes.
    const images: CloudapiImage[] = [];
    for (const one of given) {
      images.push(await findImage(client, one, { whose: 'own', state: 'all', one: true }, signal));
    }
    for (const image of images) {
      await client.deleteImage(image.id, { signal });
      if (json) output.json({ id: image.id, deleted: true });
      else output.line(`Image ${printable(imageLabel(image))} is deleted.`);
    }
    return undefined;
  },
});
