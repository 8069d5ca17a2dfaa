/** Many images from one datacenter to the one of the profile. A failure of one does not touch the others. */
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { ListImagesFilter as Filter } from '#lib/client/filter.ts';
import { CommandError } from '../framework/errors.ts';
import { EXIT, type ExitCode } from '../framework/exit-codes.ts';
import { counted } from '../output/counted.ts';
import type { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { watchToEnd, wish } from '../shared/copying/order-copy.ts';
import { assertSucceeded, copiedLine } from '../shared/copying/report-copy.ts';
import type { CloudapiClient, ListImagesFilter } from './cloudapi-client.ts';
import { isHere } from './coming.ts';
import type { CopyChoice } from './copy-to-many.ts';
import { failureOf } from './explain.ts';
import { imageLabel } from './image.ts';
import { type ManyDisplay, manyDisplay } from './many-display.ts';
import type { Session } from './session.ts';

/**
 * As many are ordered and watched at once; the datacenter has a limit of its own for what moves. Less than the share of
 * its watches that an account has.
 */
const AT_ONCE = 4;

export interface Sync {
  readonly session: Session;
  /** Where the images are. */
  readonly datacenter: string;
  readonly filter: Filter;
  /** Whether those that are here are refreshed. */
  readonly refresh: boolean;
  readonly choice: CopyChoice;
  /** Of what would be copied. */
  readonly report: (output: Output, images: readonly CloudapiImage[], json: boolean) => void;
  /** A date by which all are to have ended. */
  readonly finishBy: string | undefined;
  /** Milliseconds without a connection after which a copy is given up. */
  readonly patience: number;
  readonly output: Output;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** @throws CommandError that names those that failed */
export async function syncImages(sync: Sync): Promise<ExitCode> {
  const { session, datacenter, output, json, choice, signal } = sync;
  const client = await session.cloudapi();
  const { wanted, here } = await missing(sync, client);
  const from = printable(datacenter);
  if (choice === 'plan') {
    sync.report(output, wanted, json);
    const sum = `${counted(wanted.length, 'image')} would come from ${from}; here already: ${here}.`;
    if (!json) output.note(sum);
    return EXIT.ok;
  }
  if (wanted.length === 0) {
    if (!json) output.line(`Nothing is missing: ${here} of ${here} images of ${from} are here.`);
    return EXIT.ok;
  }
  const failures = await copyAll(sync, client, wanted);
  if (signal.aborted) {
    output.closed.throwIfAborted();
    output.note('');
    output.note('Interrupted. The copies that were ordered go on at the server; repeat the command to watch them.');
    return EXIT.interrupted;
  }
  if (failures.length === 0) return EXIT.ok;
  throw new CommandError(`the copies of ${failures.length} of ${wanted.length} images failed`, {
    code: 'CopyFailed',
    details: [...failures, 'repeat the command to try them again'],
  });
}

async function missing(
  { session, datacenter, filter, refresh, signal }: Sync,
  client: CloudapiClient,
): Promise<{ readonly wanted: readonly CloudapiImage[]; readonly here: number }> {
  const source = await session.datacenter(datacenter, signal);
  const asked = { ...filter, owner: 'me', state: 'active' } as ListImagesFilter;
  const [there, mine, account] = await Promise.all([
    source.listImages(asked, { signal }),
    client.listImages({ owner: 'me', state: 'all' }, { signal }),
    source.account({ signal }),
  ]);
  const known = new Set(mine.filter(isHere).map(({ id }) => id));
  // A server that does not know a filter answers more than was asked for.
  const own = there.filter(({ owner }) => owner === account.id);
  const wanted = refresh ? own : own.filter(({ id }) => !known.has(id));
  return { wanted, here: own.filter(({ id }) => known.has(id)).length };
}

/** What went wrong, a line for each. */
async function copyAll(sync: Sync, client: CloudapiClient, images: readonly CloudapiImage[]): Promise<string[]> {
  const { output, json, choice, signal } = sync;
  const display = manyDisplay(output, json, images.map(imageLabel), 'image');
  const queue = [...images];
  const failures: string[] = [];
  // They are told below the bars, which are drawn over what stands there now.
  const results: string[] = [];
  const work = async (): Promise<void> => {
    for (let image = queue.shift(); image && !signal.aborted; image = queue.shift()) {
      const label = imageLabel(image);
      try {
        const status = await copyOne(sync, client, image, display);
        if (!json && (choice === 'watch' || isFinal(status.state))) results.push(copiedLine(status));
        else if (!json) results.push(`Ordered: ${printable(label)}.`);
      } catch (error) {
        if (signal.aborted) return;
        const failure = failureOf(error);
        display.fail(label, failure);
        failures.push(`${label}: (${failure.code}) ${failure.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, images.length) }, work));
  for (const line of results) output.line(line);
  return failures;
}

async function copyOne(
  { datacenter, choice, finishBy, patience, signal }: Sync,
  client: CloudapiClient,
  image: CloudapiImage,
  display: ManyDisplay,
): Promise<CopyStatus> {
  const uuid = image.id;
  const label = imageLabel(image);
  let last = await client.copyImageFromDc(uuid, wish({ datacenter, finishBy, signal }));
  display.show(label, { kind: 'status', status: last });
  if (choice === 'watch' && !isFinal(last.state)) {
    last =
      (await watchToEnd({ client, uuid, signal }, { show: (event) => display.show(label, event) }, patience)) ?? last;
  }
  if (choice === 'watch' || isFinal(last.state)) assertSucceeded(last);
  return last;
}
