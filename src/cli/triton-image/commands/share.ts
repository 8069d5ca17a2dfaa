/** `triton-image share` and `unshare`: who else may use an image of the account. */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { assertEntries, assertSharedWith, stillSharedWords } from '../../shared/images/sharing.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

const OWN = { whose: 'own', state: 'all' } as const;

export const share = defineCommand({
  name: 'share',
  summary: 'share an image with other accounts',
  description: [
    'Others may see an image that is shared with them and make instances of it, but not change it. A login is stored as it is typed, whether an account of that name exists or not; the image opens to the account that has the login now, and to no other one later.',
    NAMING_OWN,
  ],
  arguments: { IMAGE, ACCOUNT: { count: 'some', help: 'Login or UUID of an account.' } },
  options: {},
  examples: [{ command: 'triton-image share my-image bob carol', what: 'with two accounts, by login' }],
  async run({ arguments: { IMAGE: given, ACCOUNT: accounts }, context, output, json, signal }) {
    assertEntries(accounts);
    const client = await context.cloudapi();
    const id = await imageId(client, given, OWN, signal);
    await change(output, json, accounts, 'shared with', (account) => client.share(id, account, { signal }));
    return undefined;
  },
});

export const unshare = defineCommand({
  name: 'unshare',
  summary: 'end the share of an image with other accounts',
  description: [
    "Name an account as it was shared: a login and its account's UUID are two shares. SHARED_WITH of ls --mine shows them.",
    NAMING_OWN,
  ],
  arguments: { IMAGE, ACCOUNT: { count: 'some', help: 'Login or UUID, as it was shared.' } },
  options: {},
  examples: [{ command: 'triton-image unshare my-image bob', what: 'bob no longer sees it' }],
  async run({ arguments: { IMAGE: given, ACCOUNT: accounts }, context, output, json, signal }) {
    const client = await context.cloudapi();
    const id = await imageId(client, given, OWN, signal);
    const { shared_with: before, left_by: left, public: isPublic } = await client.getImage(id, { signal });
    // Only the owner is shown with whom an image is shared.
    if (before !== undefined) assertSharedWith(id, before, left, accounts);
    const image = await change(output, json, accounts, 'no longer shared with', (account) =>
      client.unshare(id, account, { signal }),
    );
    const still = stillSharedWords(image?.shared_with, image?.left_by, isPublic);
    if (still !== '' && !json) output.line(sentence(still));
    return undefined;
  },
});

/** One after the other, each reported when it is done: after a failure the user knows how far it went. */
async function change(
  output: Output,
  json: boolean,
  accounts: readonly string[],
  verb: string,
  set: (account: string) => Promise<CloudapiImage>,
): Promise<CloudapiImage | undefined> {
  let image: CloudapiImage | undefined;
  for (const account of accounts) {
    image = await set(account);
    if (!json) output.line(`Image "${printable(image.name)}" ${verb} account "${printable(account)}"`);
  }
  if (json) output.json(image);
  return image;
}

/** `; it is …` as a line of its own. */
function sentence(words: string): string {
  return words.replace(/^; i/, 'I');
}
