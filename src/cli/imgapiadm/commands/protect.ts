/** `imgapiadm protect` and `unprotect`: images that nobody deletes by mistake. */
import { printable } from '../../output/printable.ts';
import { IMAGE_ARGUMENT, imageUuids } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

const ARGUMENTS = { IMAGE: { ...IMAGE_ARGUMENT, count: 'some' } } as const;

export const protect = defineCommand({
  name: 'protect',
  summary: 'protect images from deletion',
  description: ['Nobody can delete a protected image, not even an operator, until its protection is lifted.'],
  arguments: ARGUMENTS,
  options: {},
  examples: [{ command: 'imgapiadm protect base-64@17.4.0', what: 'it cannot be deleted' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    for (const uuid of await imageUuids(client, given, { account: await context.account(), signal })) {
      const image = await client.protectImage(uuid, { signal });
      if (json) output.json(image);
      else output.line(`Image ${printable(`${uuid} (${image.name}@${image.version})`)} is protected from deletion.`);
    }
    return undefined;
  },
});

export const unprotect = defineCommand({
  name: 'unprotect',
  summary: 'let protected images be deleted again',
  arguments: ARGUMENTS,
  options: {},
  examples: [{ command: 'imgapiadm unprotect base-64@17.4.0', what: 'it can be deleted again' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    for (const uuid of await imageUuids(client, given, { account: await context.account(), signal })) {
      const image = await client.unprotectImage(uuid, { signal });
      if (json) output.json(image);
      else output.line(`Image ${printable(`${uuid} (${image.name}@${image.version})`)} can be deleted again.`);
    }
    return undefined;
  },
});
