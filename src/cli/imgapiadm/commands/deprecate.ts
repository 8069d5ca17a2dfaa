/** `imgapiadm deprecate` and `undeprecate`: images that their owner advises against. */
import { printable } from '../../output/printable.ts';
import { readDate } from '../../shared/dates.ts';
import { IMAGE_ARGUMENT, imageUuid, imageUuids } from '../../shared/images/find-image.ts';
import { defineCommand } from '../connection/define-command.ts';

export const deprecate = defineCommand({
  name: 'deprecate',
  summary: 'advise against images, and name another one to use instead',
  description: ['They stay listed, and machines can still be made of them. NAME@latest passes over them.'],
  arguments: { IMAGE: { ...IMAGE_ARGUMENT, count: 'some' } },
  options: {
    'replaced-by': {
      type: 'value',
      value: 'IMAGE2',
      help: 'The image to use instead. Shown to whoever may see that one. Without it, a replacement that was named stays.',
    },
    at: {
      type: 'value',
      value: 'DATE',
      help: 'When they are deprecated, as 2030-01-31 or 2030-01-31T12:00:00Z. Default: now.',
    },
  },
  examples: [
    { command: 'imgapiadm deprecate base-64@17.4.0 --replaced-by base-64@18.4.0', what: 'as of now' },
    { command: 'imgapiadm deprecate base-64@17.4.0 --at 2030-01-31', what: 'as of then' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const at = readDate('at', options.at);
    const client = await context.client();
    const search = { account: await context.account(), signal };
    const by = options['replaced-by'];
    const replacement = by === undefined ? {} : { replaced_by: await imageUuid(client, by, search) };
    for (const uuid of await imageUuids(client, given, search)) {
      const image = await client.updateImage(uuid, { deprecated_at: at, ...replacement }, { signal });
      if (json) output.json(image);
      else {
        const instead = image.replaced_by === undefined ? '' : `; use ${image.replaced_by} instead`;
        const what = `${uuid} (${image.name}@${image.version})`;
        output.line(`Image ${printable(what)} is deprecated as of ${image.deprecated_at}${instead}.`);
      }
    }
    return undefined;
  },
});

export const undeprecate = defineCommand({
  name: 'undeprecate',
  summary: 'take the advice against images back',
  arguments: { IMAGE: { ...IMAGE_ARGUMENT, count: 'some' } },
  options: {},
  examples: [{ command: 'imgapiadm undeprecate base-64@17.4.0', what: 'its replacement is forgotten too' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.client();
    for (const uuid of await imageUuids(client, given, { account: await context.account(), signal })) {
      const image = await client.updateImage(uuid, { deprecated_at: null }, { signal });
      if (json) output.json(image);
      else output.line(`Image ${printable(`${uuid} (${image.name}@${image.version})`)} is no longer deprecated.`);
    }
    return undefined;
  },
});
