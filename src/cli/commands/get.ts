/** `imgapiadm get`: one image's manifest. */
import { defineCommand } from '../connection/define-command.ts';
import { checkUuid } from '../connection/options.ts';

export const get = defineCommand({
  name: 'get',
  summary: "show an image's manifest",
  description: ['The manifest is JSON, with --json or without.'],
  arguments: { IMAGE: { help: 'UUID of the image.', check: checkUuid } },
  options: {
    admin: { type: 'flag', help: 'With what only operators see, such as where the file is stored.' },
  },
  examples: [{ command: 'imgapiadm get 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'all about one image' }],
  async run({ options: { admin }, arguments: { IMAGE: uuid }, context, output, signal }) {
    const client = await context.client();
    output.json(await client.getImage(uuid, { signal, ...(admin && { inclAdminFields: true }) }));
    return undefined;
  },
});
