/** `imgapiadm share` and `unshare`: who else may use an image. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { assertEntries, assertSharedWith, quoted, stillSharedWords } from '../../shared/images/sharing.ts';
import { defineCommand } from '../connection/define-command.ts';

export const share = defineCommand({
  name: 'share',
  summary: 'share an image with other accounts',
  description: [
    'Others may see an image that is shared with them and make machines of it, but not change it. A login is stored as it is typed, whether an account of that name exists or not; the image opens to the account that has the login now, and to no other one later.',
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT, ACCOUNT: { count: 'some', help: 'Login or UUID of an account.' } },
  options: {},
  examples: [
    { command: 'imgapiadm share 0965c1f4-6995-c095-ecb5-c1a80be2b08e bob carol', what: 'with two accounts, by login' },
  ],
  async run({ arguments: { IMAGE: given, ACCOUNT: accounts }, context, output, json, signal }) {
    assertEntries(accounts);
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const image = await client.addImageAcl(uuid, accounts, { signal });
    tell(output, json, image, `shared with ${quoted(accounts)}`);
    return undefined;
  },
});

export const unshare = defineCommand({
  name: 'unshare',
  summary: 'end the share of an image with other accounts',
  description: [
    "Name an account as it was shared: a login and its account's UUID are two shares. The manifest shows them as acl.",
    'An account that the image is shared with may remove itself; it stays out until the owner shares again.',
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT, ACCOUNT: { count: 'some', help: 'Login or UUID, as it was shared.' } },
  options: {},
  examples: [{ command: 'imgapiadm unshare 0965c1f4-6995-c095-ecb5-c1a80be2b08e bob', what: 'bob no longer sees it' }],
  async run({ arguments: { IMAGE: given, ACCOUNT: accounts }, context, output, json, signal }) {
    const client = await context.client();
    const account = await context.account();
    const uuid = await imageUuid(client, given, { account, signal });
    const before = await client.getImage(uuid, { signal });
    const isOwners = account === undefined || before.owner === account;
    if (isOwners) assertSharedWith(uuid, before.acl, before.left_by, accounts);
    const image = await client.removeImageAcl(uuid, accounts, { signal });
    if (image === undefined) {
      if (json) output.json({ uuid, left: true });
      else output.line(`Account ${account} has left image ${uuid}.`);
      return undefined;
    }
    tell(
      output,
      json,
      image,
      `no longer shared with ${quoted(accounts, ' or ')}${stillSharedWords(image.acl, image.left_by, image.public)}`,
    );
    return undefined;
  },
});

function tell(output: Output, json: boolean, image: Image, what: string): void {
  if (json) output.json(image);
  else output.line(`Image ${printable(`${image.uuid} (${image.name}@${image.version})`)} is ${what}.`);
}
