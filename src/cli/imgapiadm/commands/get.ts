/** `imgapiadm get`: one image's manifest. */

import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

export const get = defineCommand({
  name: 'get',
  summary: "show an image's manifest",
  description: ['The manifest is JSON; with --json on a line of its own.'],
  arguments: { IMAGE: IMAGE_ARGUMENT },
  options: {
    admin: { type: 'flag', help: 'With what only operators see, such as where the file is stored.' },
  },
  examples: [
    { command: 'imgapiadm get 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'all about one image' },
    { command: 'imgapiadm get my-image@1.0.0 -a alice', what: "this account's image of that name" },
  ],
  async run({ options: { admin }, arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const image = await client.getImage(uuid, { signal, ...(admin && { inclAdminFields: true }) });
    if (json) output.json(image);
    else output.document(image);
    return undefined;
  },
});
