/** `imgapiadm copy`: brings an image and its chain here from another datacenter, and watches it come. */
import type { ImgapiClient } from '#lib/client/client.ts';
import type { CopyStatus } from '#lib/client/types.ts';
import type { Connection } from '../connection/connection.ts';
import { defineCommand } from '../connection/define-command.ts';
import { checkUuid } from '../connection/options.ts';
import { copyDisplay } from '../copying/copy-display.ts';
import { isFinal } from '../copying/describe.ts';
import { followCopy } from '../copying/follow-copy.ts';
import { beginning } from '../copying/log-lines.ts';
import { planOf, reportPlan } from '../copying/plan.ts';
import { assertSucceeded, reportCopied } from '../copying/report-copy.ts';
import { usageError } from '../framework/errors.ts';
import { EXIT, type ExitCode } from '../framework/exit-codes.ts';
import type { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';

/** Seconds for which a lost connection is made anew. */
const RECONNECT = 600;

export const copy = defineCommand({
  name: 'copy',
  aliases: ['cp'],
  summary: 'copy an image and its chain from another datacenter',
  description: [
    'The copy belongs to the server: interrupting this command does not end it, and repeating the command watches it again. A copy that failed is tried again, with the bytes that are here already. For an image that is here, the descriptive fields and the shares are refreshed.',
    'All images of the chain become usable together, at the end.',
  ],
  arguments: {
    'SRC-DC': { help: 'The datacenter to copy from; see the command datacenters.' },
    IMAGE: { help: 'UUID of the image.', check: checkUuid },
  },
  options: {
    wait: { type: 'flag', help: 'Watch the copy until it has ended. This is the default.' },
    'no-wait': { type: 'flag', help: 'Order the copy and leave.' },
    'dry-run': { type: 'flag', help: 'Only show which images would come, and what would be changed.' },
    plan: { type: 'flag', help: 'The same as --dry-run.' },
    'reconnect-for': {
      type: 'value',
      value: 'SECONDS',
      help: `How long to try again when the connection to the server is lost. Default: ${RECONNECT}.`,
      check: (value) => (/^\d{1,7}$/.test(value) ? undefined : 'a whole number of seconds'),
    },
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
  async run({ options, arguments: { 'SRC-DC': datacenter, IMAGE: uuid }, context, output, json, signal }) {
    const { wait, 'no-wait': noWait, 'dry-run': dryRun, plan, 'reconnect-for': reconnectFor } = options;
    if (wait && noWait) throw usageError('--wait and --no-wait exclude each other');
    const client = await context.client();
    if (dryRun || plan) {
      const planned = await planOf(client, uuid, datacenter, signal);
      if (json) output.json(planned);
      else reportPlan(output, planned);
      return undefined;
    }
    const job: Job = { client, uuid, datacenter, context, output, json, signal };
    const seconds = reconnectFor === undefined ? RECONNECT : Number(reconnectFor);
    return noWait ? order(job) : orderAndWatch(job, seconds * 1000);
  },
});

interface Job {
  readonly client: ImgapiClient;
  readonly uuid: string;
  readonly datacenter: string;
  readonly context: Connection;
  readonly output: Output;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

async function order({ client, uuid, datacenter, context, output, json, signal }: Job): Promise<ExitCode> {
  const status = await client.copyFromDc(uuid, { datacenter }, { signal });
  if (json) output.json(status);
  if (isFinal(status.state)) {
    assertSucceeded(status);
    if (!json) reportCopied(output, status);
  } else if (!json) {
    output.line(`Ordered: ${beginning(status)}.`);
    output.note(`Watch it with: ${commandLine(['copy', datacenter, uuid], context)}`);
  }
  return EXIT.ok;
}

async function orderAndWatch(job: Job, patience: number): Promise<ExitCode> {
  const { client, uuid, datacenter, output, json, signal } = job;
  const display = copyDisplay(output, json);
  try {
    let last = await client.copyFromDc(uuid, { datacenter }, { signal });
    if (last.datacenter !== datacenter) {
      output.note(`This image is on its way from ${printable(last.datacenter)} already; that copy is watched.`);
    }
    if (last.changes === undefined || json) display.show({ kind: 'status', status: last });
    if (!isFinal(last.state)) last = await watchToEnd(job, last, display, patience);
    assertSucceeded(last);
    if (!json) reportCopied(output, last);
    return EXIT.ok;
  } catch (error) {
    if (!signal.aborted || output.closed.aborted) throw error;
    tellHowToReturn(job);
    return EXIT.interrupted;
  }
}

async function watchToEnd(
  { client, uuid, signal }: Job,
  first: CopyStatus,
  display: ReturnType<typeof copyDisplay>,
  patience: number,
): Promise<CopyStatus> {
  let last = first;
  const watch = (aborted: AbortSignal) => client.watchCopy(uuid, { signal: aborted });
  for await (const event of followCopy(watch, { signal, patience })) {
    display.show(event);
    if (event.kind === 'status') last = event.status;
  }
  return last;
}

function tellHowToReturn({ uuid, datacenter, context, output }: Job): void {
  output.note('');
  output.note('Interrupted. A copy that was ordered goes on at the server.');
  output.note(`    to watch it again:  ${commandLine(['copy', datacenter, uuid], context)}`);
  output.note(`    to end it:          ${commandLine(['cancel', uuid], context)}`);
}

/** What to type to reach the same server with the same account. */
function commandLine(words: readonly string[], context: Connection): string {
  return ['imgapiadm', ...words, ...context.words].map(quoted).join(' ');
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`;
}
