/** `triton-image accept`: takes what somebody else offers. */
import { isUuid } from '#lib/text/uuid.ts';
import { usageError } from '../../framework/errors.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { OWNER_OPTION } from '../image-argument.ts';

export const accept = defineCommand({
  name: 'accept',
  summary: 'accept an image that somebody shares with you',
  description: [
    'Needed where you want to be asked (triton-image share-settings): it is in your lists from then on, and its owner sees that you accepted it.',
    'To refuse an offer: triton-image leave.',
  ],
  arguments: { IMAGE: { help: 'UUID; with -S OWNER also NAME, NAME@VERSION or the first 8 digits of the UUID.' } },
  options: { 'shared-by': { ...OWNER_OPTION, help: 'The account (login or UUID) that offers the image.' } },
  examples: [
    { command: 'triton-image ls --offered', what: 'what there is to accept' },
    { command: 'triton-image accept -S alice my-image', what: 'accept the one that alice offers' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { 'shared-by': offeredBy } = options;
    if (offeredBy === undefined && !isUuid(given.toLowerCase())) {
      throw usageError('without -S OWNER, name the image by its UUID');
    }
    const client = await context.cloudapi();
    const whose = offeredBy === undefined ? 'usable' : ({ offeredBy } as const);
    const id = await imageId(client, given, { whose, state: 'all', one: true }, signal);
    const image = await client.accept(id, { signal });
    const { name, version, owner, owner_login: login } = image;
    if (json) output.json({ id, name, version, owner, owner_login: login });
    else output.line(`Image "${printable(name)}" of account "${printable(login ?? owner ?? '')}" accepted`);
    return undefined;
  },
});
