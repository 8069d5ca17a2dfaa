/** `triton-image get`: all about one image. */
import { defineCommand } from '../define-command.ts';
import { findImage } from '../find-image.ts';
import { IMAGE, NAMING, OWNER_OPTION } from '../image-argument.ts';

export const get = defineCommand({
  name: 'get',
  summary: 'show an image',
  description: ['The image is shown as JSON; with --json on a line of its own.', NAMING],
  arguments: { IMAGE },
  options: {
    'shared-by': OWNER_OPTION,
    all: { type: 'flag', short: 'a', help: 'Let the name find images in any state, not only active ones.' },
  },
  examples: [
    { command: 'triton-image get my-image', what: 'with whom it is shared, among the rest' },
    { command: 'triton-image get -S alice my-image', what: 'the one that alice shares' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { 'shared-by': sharedBy, all } = options;
    const whose = sharedBy === undefined ? 'usable' : ({ sharedBy } as const);
    const client = await context.cloudapi();
    const image = await findImage(client, given, { whose, state: all ? 'all' : 'active' }, signal);
    if (json) output.json(image);
    else output.document(image);
    return undefined;
  },
});
