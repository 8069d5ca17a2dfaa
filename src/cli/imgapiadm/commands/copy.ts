/** `imgapiadm copy`: brings an image and its chain here from another datacenter, and watches it come. */

import { usageError } from '../../framework/errors.ts';
import { TABLE_OPTIONS } from '../../framework/table-options.ts';
import { shellLine } from '../../output/shell-line.ts';
import { FINISH_BY_OPTION } from '../../shared/copying/finish-by.ts';
import { type CopyJob, orderAndWatch, orderCopy } from '../../shared/copying/order-copy.ts';
import { planOf, planReport, planTableHelp } from '../../shared/copying/plan.ts';
import { RECONNECT_OPTION, RECONNECT_SECONDS } from '../../shared/copying/reconnect.ts';
import { imageUuid } from '../../shared/images/find-image.ts';
import type { Connection } from '../connection/connection.ts';
import { defineCommand } from '../connection/define-command.ts';

export const copy = defineCommand({
  name: 'copy',
  aliases: ['cp'],
  summary: 'copy an image and its chain from another datacenter',
  description: [
    'The copy belongs to the server: interrupting this command does not end it, and repeating the command watches it again. A failed copy is tried again, with the bytes that are already here. For an image that is here, the descriptive fields and the shares are refreshed.',
    'All images of the chain become usable together, at the end.',
    planTableHelp(false),
  ],
  arguments: {
    'SRC-DC': { help: 'The datacenter to copy from; see the command datacenters.' },
    IMAGE: {
      help: 'UUID of the image. What is here, or on its way, can also be named as in other commands: by NAME, NAME@VERSION or the first 8 digits of the UUID.',
    },
  },
  options: {
    wait: { type: 'flag', help: 'Watch the copy until it has ended. This is the default.' },
    'no-wait': { type: 'flag', help: 'Order the copy and leave.' },
    'dry-run': { type: 'flag', help: 'Only show which images would come, and what would be changed.' },
    plan: { type: 'flag', help: 'The same as --dry-run.' },
    'finish-by': FINISH_BY_OPTION,
    'reconnect-for': RECONNECT_OPTION,
    ...TABLE_OPTIONS,
  },
  examples: [
    {
      command: 'imgapiadm copy us-sw-1 0965c1f4-6995-c095-ecb5-c1a80be2b08e -a a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
      what: 'an image of this account, from us-sw-1 to here',
    },
    {
      command: 'imgapiadm copy us-sw-1 0965c1f4-6995-c095-ecb5-c1a80be2b08e -a … --plan',
      what: 'how much that would be',
    },
  ],
  async run({ options, arguments: { 'SRC-DC': datacenter, IMAGE: given }, context, output, json, signal }) {
    const {
      wait,
      'no-wait': noWait,
      'dry-run': dryRun,
      plan,
      'reconnect-for': reconnectFor,
      'finish-by': finishBy,
    } = options;
    if (wait && noWait) throw usageError('give --wait or --no-wait, not both');
    const report = planReport(options);
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    if (dryRun || plan) {
      const planned = await planOf(client, uuid, datacenter, signal);
      if (json) output.json(planned);
      else report.one(output, planned);
      return undefined;
    }
    const job: CopyJob = {
      client,
      uuid,
      datacenter,
      finishBy,
      output,
      json,
      signal,
      watchLine: commandLine(['copy', datacenter, uuid], context),
      endLine: commandLine(['cancel', uuid], context),
    };
    const seconds = reconnectFor === undefined ? RECONNECT_SECONDS : Number(reconnectFor);
    return noWait ? orderCopy(job) : orderAndWatch(job, seconds * 1000);
  },
});

/** What to type to reach the same server with the same account. */
function commandLine(words: readonly string[], context: Connection): string {
  return shellLine(['imgapiadm', ...words, ...context.words]);
}
