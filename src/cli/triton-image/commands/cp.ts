/** `triton-image cp`: copies an image and its chain from one datacenter to another, or to many. */
import { isUuid } from '#lib/text/uuid.ts';
import { usageError } from '../../framework/errors.ts';
import type { ExitCode } from '../../framework/exit-codes.ts';
import { TABLE_OPTIONS } from '../../framework/table-options.ts';
import { FINISH_BY_OPTION } from '../../shared/copying/finish-by.ts';
import { orderAndWatch, orderCopy } from '../../shared/copying/order-copy.ts';
import { planOf, planReport, planTableHelp } from '../../shared/copying/plan.ts';
import { RECONNECT_OPTION, RECONNECT_SECONDS } from '../../shared/copying/reconnect.ts';
import { type CopyChoice, copyToMany } from '../copy-to-many.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

const OWN = { whose: 'own' } as const;

export const cp = defineCommand({
  name: 'cp',
  aliases: ['copy', 'copy-from-dc'],
  summary: 'copy an image and its chain from another datacenter, or to others',
  description: [
    'Without --to the image comes to the datacenter of the profile. The copy belongs to the cloud: interrupting this command does not end it, and repeating the command watches it again. A failed copy is tried again, with the bytes that are already there. Where the image is there already, its descriptive fields and shares are refreshed.',
    'All images of the chain become usable together, at the end.',
    planTableHelp(true),
    `${NAMING_OWN} They are looked for where the image is copied from.`,
  ],
  arguments: {
    'SRC-DC': { count: 'optional', help: 'The datacenter to copy from; not with --to.' },
    IMAGE,
  },
  options: {
    to: {
      type: 'list',
      value: 'DC,...',
      help: "Copy from the profile's datacenter to these, or to all others. One that fails does not stop the rest.",
    },
    'dry-run': { type: 'flag', help: 'Only show which images would move, how many bytes, and what is there already.' },
    'no-wait': { type: 'flag', help: 'Order the copy and leave.' },
    'finish-by': FINISH_BY_OPTION,
    'reconnect-for': RECONNECT_OPTION,
    ...TABLE_OPTIONS,
  },
  examples: [
    { command: 'triton-image -p us-west-1 cp us-sw-1 my-image', what: 'from us-sw-1 to us-west-1' },
    { command: 'triton-image -p us-sw-1 cp --to all my-image', what: 'from us-sw-1 to everywhere else' },
    { command: 'triton-image cp --dry-run us-sw-1 my-image', what: 'how much that would be' },
  ],
  async run({ options, arguments: { 'SRC-DC': datacenter, IMAGE: given }, context, output, json, signal }) {
    const { to, 'dry-run': dryRun, 'no-wait': noWait, 'finish-by': finishBy } = options;
    const { 'reconnect-for': seconds = RECONNECT_SECONDS } = options;
    const patience = Number(seconds) * 1000;
    const report = planReport(options);
    const choice: CopyChoice = dryRun ? 'plan' : noWait ? 'order' : 'watch';
    if (to.length > 0) {
      if (datacenter !== undefined) {
        throw usageError("with --to the image comes from the profile's datacenter: leave out SRC-DC");
      }
      return copyToMany({ session: context, to, given, choice, report, finishBy, patience, output, json, signal });
    }
    if (datacenter === undefined) throw usageError('missing SRC-DC, the datacenter to copy from, or --to');
    const client = await context.cloudapi();
    // A copy that is on its way can be watched by its UUID while the source is away.
    const uuid = isUuid(given.toLowerCase())
      ? given.toLowerCase()
      : await imageId(await context.datacenter(datacenter, signal), given, OWN, signal);
    if (choice === 'plan') {
      const plan = await planOf(client, uuid, datacenter, signal);
      if (json) output.json(plan);
      else report.one(output, plan);
      return undefined;
    }
    const watchLine = context.commandLine(['wait', uuid]);
    const endLine = context.commandLine(['cancel', uuid]);
    const job = { client, uuid, datacenter, finishBy, output, json, signal, watchLine, endLine };
    const result: Promise<ExitCode> = choice === 'order' ? orderCopy(job) : orderAndWatch(job, patience);
    return result;
  },
});
