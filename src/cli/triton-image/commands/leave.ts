/** `triton-image leave`: gives back what somebody else shares with the account. */
import { isUuid } from '#lib/text/uuid.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../define-command.ts';
import { findImage } from '../find-image.ts';
import { OWNER_OPTION } from '../image-argument.ts';

export const leave = defineCommand({
  name: 'leave',
  summary: 'end your access to an image that is shared with you',
  description: [
    'It is no longer listed for you, until its owner shares it with you again. So is an offer refused: name it by its UUID.',
  ],
  arguments: { IMAGE: { help: 'UUID; with -S OWNER also NAME, NAME@VERSION or the first 8 digits of the UUID.' } },
  options: { 'shared-by': { ...OWNER_OPTION, help: 'The account (login or UUID) that shares the image.' } },
  examples: [
    { command: 'triton-image leave -S alice my-image', what: 'leave the one that alice shares' },
    { command: 'triton-image leave 0965c1f4-6995-c095-ecb5-c1a80be2b08e', what: 'leave this one, whoever shares it' },
  ],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { 'shared-by': sharedBy } = options;
    if (sharedBy === undefined && !isUuid(given.toLowerCase())) {
      throw usageError('without -S OWNER, name the image by its UUID');
    }
    const client = await context.cloudapi();
    const whose = sharedBy === undefined ? 'usable' : ({ sharedBy } as const);
    const [account, image] = await Promise.all([
      client.account({ signal }),
      findImage(client, given, { whose, state: 'all' }, signal),
    ]);
    const { id, name, version, owner, owner_login: login } = image;
    if (owner === account.id) throw notShared(`image ${id} is your own`);
    if (image.public && !image.shared_as?.length) throw notShared(`image ${id} is public`);
    await client.leave(id, account.id, { signal });
    if (json) output.json({ id, name, version, owner, owner_login: login });
    else {
      output.line(
        `Image "${printable(name)}" of account "${printable(login ?? owner ?? '')}" is no longer shared with you`,
      );
    }
    return undefined;
  },
});

function notShared(message: string): CommandError {
  return new CommandError(`${message}; only what somebody shares with you can be left`, { code: 'NotShared' });
}
