/** Orders a copy, and watches it to its end unless the user leaves before. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { EXIT, type ExitCode } from '../../framework/exit-codes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { type CopyDisplay, copyDisplay } from './copy-display.ts';
import { followCopy, watchOrAsk } from './follow-copy.ts';
import { beginning } from './log-lines.ts';
import { assertSucceeded, reportCopied } from './report-copy.ts';

/** What a copy needs of a client. */
export type CopyClient = Pick<ImgapiClient, 'copyImageFromDc' | 'getImageCopy' | 'watchImageCopy'>;

export interface CopyWatch {
  readonly client: Pick<CopyClient, 'getImageCopy' | 'watchImageCopy'>;
  readonly uuid: string;
  readonly output: Output;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Command lines that watch the same copy again, and that end it. */
  readonly watchLine: string;
  readonly endLine: string;
}

export interface CopyJob extends CopyWatch {
  readonly client: CopyClient;
  /** Where the image is. */
  readonly datacenter: string;
  /** A date by which it is to have ended. */
  readonly finishBy?: string | undefined;
}

/** What the client is asked. */
export function wish({
  datacenter,
  finishBy,
  signal,
}: Pick<CopyJob, 'datacenter' | 'finishBy' | 'signal'>): Parameters<CopyClient['copyImageFromDc']>[1] {
  return { datacenter, ...(finishBy !== undefined && { finish_by: finishBy }), signal };
}

/** @throws CommandError when the copy has failed already */
export async function orderCopy(job: CopyJob): Promise<ExitCode> {
  const { client, uuid, output, json, watchLine } = job;
  const status = await client.copyImageFromDc(uuid, wish(job));
  if (json) output.json(status);
  if (isFinal(status.state)) {
    assertSucceeded(status);
    if (!json) reportCopied(output, status);
  } else if (!json) {
    output.line(`Ordered: ${beginning(status)}.`);
    output.note(`Watch it with: ${watchLine}`);
  }
  return EXIT.ok;
}

/**
 * @param patience milliseconds without a connection after which it is given up
 * @throws CommandError when the copy does not succeed
 */
export async function orderAndWatch(job: CopyJob, patience: number): Promise<ExitCode> {
  const { client, uuid, datacenter, output, json } = job;
  const display = copyDisplay(output, json);
  return interruptible(job, async () => {
    let last = await client.copyImageFromDc(uuid, wish(job));
    if (last.datacenter !== datacenter) {
      output.note(`This image is already on its way from ${printable(last.datacenter)}; watching that copy.`);
    }
    if (last.changes === undefined || json) display.show({ kind: 'status', status: last });
    if (!isFinal(last.state)) last = (await watchToEnd(job, display, patience)) ?? last;
    assertSucceeded(last);
    if (!json) reportCopied(output, last);
  });
}

/** The same for a copy that was ordered before. */
export async function watchCopy(job: CopyWatch, patience: number): Promise<ExitCode> {
  const { output, json } = job;
  return interruptible(job, async () => {
    const last = await watchToEnd(job, copyDisplay(output, json), patience);
    if (last === undefined) return;
    assertSucceeded(last);
    if (!json) reportCopied(output, last);
  });
}

/** Shows what happens to a copy until it has ended; its last status, undefined when none came. */
export async function watchToEnd(
  { client, uuid, signal }: Pick<CopyWatch, 'client' | 'uuid' | 'signal'>,
  display: CopyDisplay,
  patience: number,
): Promise<CopyStatus | undefined> {
  let last: CopyStatus | undefined;
  const watch = watchOrAsk(
    (aborted) => client.watchImageCopy(uuid, { signal: aborted }),
    (aborted) => client.getImageCopy(uuid, { signal: aborted }),
  );
  for await (const event of followCopy(watch, { signal, patience })) {
    display.show(event);
    if (event.kind === 'status') last = event.status;
  }
  return last;
}

async function interruptible(job: CopyWatch, run: () => Promise<void>): Promise<ExitCode> {
  try {
    await run();
    return EXIT.ok;
  } catch (error) {
    if (!job.signal.aborted || job.output.closed.aborted) throw error;
    tellHowToReturn(job);
    return EXIT.interrupted;
  }
}

function tellHowToReturn({ output, watchLine, endLine }: Pick<CopyWatch, 'output' | 'watchLine' | 'endLine'>): void {
  output.note('');
  output.note('Interrupted. The copy goes on at the server, if it was ordered.');
  output.note(`    to watch it again:  ${watchLine}`);
  output.note(`    to cancel it:       ${endLine}`);
}
