/** One image to several datacenters at once. A failure at one of them does not touch the others. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import { CommandError, type Failure, usageError } from '../framework/errors.ts';
import { EXIT, type ExitCode } from '../framework/exit-codes.ts';
import type { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import type { CopyEvent } from '../shared/copying/follow-copy.ts';
import { watchToEnd, wish } from '../shared/copying/order-copy.ts';
import { type PlannedCopy, type PlanReport, planOf } from '../shared/copying/plan.ts';
import { assertSucceeded, copiedLine } from '../shared/copying/report-copy.ts';
import type { CloudapiClient } from './cloudapi-client.ts';
import { failureOf } from './explain.ts';
import { imageId } from './find-image.ts';
import { type ManyDisplay, manyDisplay } from './many-display.ts';
import type { Session } from './session.ts';

/** `plan`: only show it. `order`: do not wait for it. */
export type CopyChoice = 'plan' | 'order' | 'watch';

export interface CopyToMany {
  readonly session: Session;
  /** Names of datacenters, or `all`. */
  readonly to: readonly string[];
  /** The image as the user names it. */
  readonly given: string;
  readonly choice: CopyChoice;
  /** Of plans. */
  readonly report: PlanReport;
  /** A date by which all are to have ended. */
  readonly finishBy: string | undefined;
  /** Milliseconds without a connection after which it is given up. */
  readonly patience: number;
  readonly output: Output;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

interface Target {
  readonly name: string;
  readonly client: CloudapiClient;
}

/** What is copied, and from where. */
interface Source {
  readonly uuid: string;
  readonly datacenter: string;
}

type Outcome<Result> = { readonly name: string } & ({ readonly result: Result } | { readonly failure: Failure });

/** @throws CommandError that names those where it failed, and how to repeat it for them */
export async function copyToMany(copy: CopyToMany): Promise<ExitCode> {
  const { session, signal, choice } = copy;
  const here = await hereOf(copy);
  const names = await targetNames(copy, here);
  const targets = await Promise.all(
    names.map(async (name) => ({ name, client: await session.datacenter(name, signal) })),
  );
  const uuid = await imageId(await session.cloudapi(), copy.given, { whose: 'own' }, signal);
  const source = { uuid, datacenter: here };
  const outcomes = choice === 'plan' ? await planMany(copy, source, targets) : await orderMany(copy, source, targets);
  if (outcomes === undefined) return EXIT.interrupted;
  assertAll(copy, uuid, outcomes);
  return EXIT.ok;
}

async function hereOf({ session, signal }: CopyToMany): Promise<string> {
  const { here } = await session.datacenters(signal);
  if (here !== undefined) return here;
  throw new CommandError(
    "the profile's CloudAPI does not say which datacenter it is; copy with SRC-DC instead of --to",
    {
      code: 'UnknownDatacenter',
    },
  );
}

async function targetNames({ session, to, signal }: CopyToMany, here: string): Promise<string[]> {
  const { urls } = await session.datacenters(signal);
  const names = to.includes('all') ? Object.keys(urls).filter((name) => name !== here) : [...new Set(to)];
  if (names.includes(here)) throw usageError(`the image is in ${here} already: it is the profile's datacenter`);
  if (names.length === 0) throw usageError('there is no other datacenter to copy to');
  return names;
}

async function planMany(
  { output, json, report, signal }: CopyToMany,
  { uuid, datacenter }: Source,
  targets: readonly Target[],
): Promise<Outcome<PlannedCopy>[]> {
  const plans = await Promise.all(
    targets.map(({ name, client }) => outcomeOf(name, signal, () => planOf(client, uuid, datacenter, signal))),
  );
  const made = plans.flatMap((plan) => ('result' in plan ? [plan] : []));
  if (json) output.jsonLines(made.map(({ name, result }) => ({ to: name, ...result })));
  else report.many(output, made);
  return plans;
}

/** Undefined when the user left. */
async function orderMany(
  copy: CopyToMany,
  source: Source,
  targets: readonly Target[],
): Promise<Outcome<CopyStatus>[] | undefined> {
  const { output, json, signal } = copy;
  const display = manyDisplay(
    output,
    json,
    targets.map(({ name }) => name),
  );
  const run = (target: Target) => outcomeOf(target.name, signal, () => copyTo(copy, source, target, display), display);
  const ended = await Promise.allSettled(targets.map(run));
  if (signal.aborted) {
    output.closed.throwIfAborted();
    tellHowToReturn(copy, source, targets);
    return undefined;
  }
  const outcomes = ended.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
  if (!json) for (const outcome of outcomes) tellResult(copy, outcome);
  return outcomes;
}

async function copyTo(
  { choice, finishBy, patience, signal }: CopyToMany,
  { uuid, datacenter }: Source,
  { name, client }: Target,
  display: ManyDisplay,
): Promise<CopyStatus> {
  const show = (event: CopyEvent): void => display.show(name, event);
  let last = await client.copyImageFromDc(uuid, wish({ datacenter, finishBy, signal }));
  show({ kind: 'status', status: last });
  if (choice === 'watch' && !isFinal(last.state)) {
    last = (await watchToEnd({ client, uuid, signal }, { show }, patience)) ?? last;
  }
  if (choice === 'watch' || isFinal(last.state)) assertSucceeded(last);
  return last;
}

async function outcomeOf<Result>(
  name: string,
  signal: AbortSignal,
  run: () => Promise<Result>,
  display?: ManyDisplay,
): Promise<Outcome<Result>> {
  try {
    return { name, result: await run() };
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error);
    display?.fail(name, failure);
    return { name, failure: error instanceof ImgapiUnreachableError ? { ...failure, details: [] } : failure };
  }
}

function tellResult({ output, choice }: CopyToMany, outcome: Outcome<CopyStatus>): void {
  if ('failure' in outcome) return;
  const { name, result } = outcome;
  const isOrdered = choice === 'order' && !isFinal(result.state);
  output.line(
    `${printable(name)}: ${isOrdered ? `copy from ${printable(result.datacenter)} ordered.` : copiedLine(result)}`,
  );
}

function assertAll({ session, choice }: CopyToMany, uuid: string, outcomes: readonly Outcome<unknown>[]): void {
  const failed = outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome] : []));
  if (failed.length === 0) return;
  const again = [
    'cp',
    ...(choice === 'plan' ? ['--dry-run'] : []),
    '--to',
    failed.map(({ name }) => name).join(','),
    uuid,
  ];
  throw new CommandError(`the copy failed at ${failed.length} of ${outcomes.length} datacenters`, {
    code: 'CopyFailed',
    details: [
      ...failed.flatMap(({ name, failure: { code, message, details } }) => [
        `${name}: (${code}) ${message}`,
        ...details.map((detail) => `    ${detail}`),
      ]),
      `to repeat it there:  ${session.commandLine(again)}`,
    ],
  });
}

function tellHowToReturn({ session, output, to }: CopyToMany, { uuid }: Source, targets: readonly Target[]): void {
  output.note('');
  output.note('Interrupted. The copies that were ordered go on at the servers.');
  output.note(`    to watch them again:  ${session.commandLine(['cp', '--to', to.join(','), uuid])}`);
  for (const { name, client } of targets) {
    const line = session.commandLine(['cancel', uuid], { url: client.url });
    output.note(`    to cancel the one to ${printable(name)}:  ${line}`);
  }
}
