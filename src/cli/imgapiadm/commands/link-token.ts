/** `imgapiadm link-token`: the secret that lets another datacenter link itself with this one, once. */

import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { SHORT_PATIENCE } from '../connection/patience.ts';
import { LINK_TERMS, termsBody } from '../datacenters/terms.ts';

export const linkToken = defineCommand({
  name: 'link-token',
  summary: 'make a token with which another datacenter can link with this one',
  description: [
    'The token works once, for ten minutes. Standard output holds the token alone; standard error says what to do with it. Give it to the operator of the other datacenter over a channel that nobody else reads.',
  ],
  arguments: {},
  options: LINK_TERMS,
  examples: [
    { command: 'imgapiadm link-token', what: 'in us-west-1: then run link-dc in us-sw-1' },
    {
      command: 'imgapiadm link-token --accounts 930896af-bf8c-48d4-885c-6573a94b1853',
      what: 'the other datacenter may read the images of one account only',
    },
  ],
  async run({ options, context, output, json, signal }) {
    const operator = await context.operator(SHORT_PATIENCE);
    const made = await operator.createLinkToken(termsBody(options), { signal });
    if (json) {
      output.json(made);
      return undefined;
    }
    output.line(made.token);
    output.note(`It works once, until ${printable(made.expires)}. In the other datacenter:`);
    output.note(`    imgapiadm link-dc ${printable(made.datacenter)} ${printable(made.url)} --token TOKEN`);
    return undefined;
  },
});
