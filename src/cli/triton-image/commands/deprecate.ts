/** `triton-image deprecate` and `undeprecate`: images that the account advises against. */
import { printable } from '../../output/printable.ts';
import { readDate } from '../../shared/dates.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

const OWN = { whose: 'own', state: 'all' } as const;

export const deprecate = defineCommand({
  name: 'deprecate',
  summary: 'advise against an image, and name another one to use instead',
  description: ['It stays listed, and instances can still be made of it.', NAMING_OWN],
  arguments: { IMAGE },
  options: {
    'replaced-by': {
      type: 'value',
      value: 'IMAGE2',
      help: 'The image to use instead, one of your own or the UUID of any that you see. It is shown to whoever sees it too.',
    },
    at: {
      type: 'value',
      value: 'DATE',
      help: 'When it is deprecated, as 2030-01-31 or 2030-01-31T12:00:00Z. Default: now.',
    },
  },
  examples: [{ command: 'triton-image deprecate my-image@1.0 --replaced-by my-image@2.0', what: 'as of now' }],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const at = readDate('at', options.at);
    const client = await context.cloudapi();
    const id = await imageId(client, given, OWN, signal);
    const by = options['replaced-by'];
    const replacement = by !== undefined && { replaced_by: await imageId(client, by, OWN, signal) };
    const image = await client.update(id, { deprecated_at: at, ...replacement }, { signal });
    if (json) output.json(image);
    else {
      const instead = image.replaced_by === undefined ? '' : `; use ${image.replaced_by} instead`;
      output.line(`Image "${printable(image.name)}" is deprecated as of ${image.deprecated_at}${instead}`);
    }
    return undefined;
  },
});

export const undeprecate = defineCommand({
  name: 'undeprecate',
  summary: 'take the advice against an image back',
  description: ['Its replacement is forgotten too.', NAMING_OWN],
  arguments: { IMAGE },
  options: {},
  examples: [{ command: 'triton-image undeprecate my-image@1.0', what: 'it is one to use again' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.cloudapi();
    const id = await imageId(client, given, OWN, signal);
    const image = await client.update(id, { deprecated_at: '' }, { signal });
    if (json) output.json(image);
    else output.line(`Image "${printable(image.name)}" is no longer deprecated`);
    return undefined;
  },
});
