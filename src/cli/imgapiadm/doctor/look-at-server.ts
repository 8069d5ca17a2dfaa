/** What is wrong with a server that runs: its parts, by its own word, and its links with other datacenters, from both sides. */

import type { Health } from '#lib/api/schemas/service.ts';
import { invalidAnswer, readJson } from '#lib/client/answer.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { clockFinding } from './clock-finding.ts';
import type { Finding } from './finding.ts';

/** What to do when a part of `GET /healthz` is down. */
const MENDS: Readonly<Record<string, string>> = {
  store: 'look at the database, its log and its disk',
  objects: 'look at the object store that the message names, and at the way there',
  room: 'delete images, or give the store more room',
  directory: 'look at the directory of accounts, and at the way there',
};
/** Seconds for which a server whose parts are down is asked for anything else. */
const PATIENCE_MS = 30_000;
/** Linked clocks of which all differ by more than this, in the same direction. */
const MOST_SKEW_SECONDS = 60;

/** After so many it is the store that wants looking at. */
const MOST_DAMAGED = 10;

export interface Server {
  readonly url: string;
  /** With the operator's secret. */
  operator(): Promise<ImgapiClient>;
  /** Seconds by which the clocks of links may differ. */
  readonly mostSkew: number;
}

/** What cannot be asked for, because a part is down, keeps nothing else from being looked at. @throws if it cannot be reached */
export async function lookAtServer({ url, operator, mostSkew }: Server, signal: AbortSignal): Promise<Finding[]> {
  const findings = await lookAtParts(url, signal);
  const client = await operator();
  const isDown = findings.some(({ part }) => part === 'stores');
  const patience = isDown ? AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) : signal;
  const looks = [
    lookAtTasks(client, patience),
    lookAtDamage(client, patience),
    lookAtLinks(client, mostSkew, patience),
  ];
  const more = await Promise.allSettled(looks);
  signal.throwIfAborted();
  const unasked = new Set<string>();
  for (const result of more) {
    if (result.status === 'fulfilled') findings.push(...result.value);
    else unasked.add((result.reason as Error).message);
  }
  for (const why of unasked) {
    const mend = isDown ? 'mend what is down, and run this again' : 'look at the log of the server';
    findings.push({ part: 'server', problem: `it cannot say how its tasks, files and links are: ${why}`, mend });
  }
  return findings;
}

async function lookAtParts(url: string, signal: AbortSignal): Promise<Finding[]> {
  const { checks } = await healthOf(url, signal);
  const findings: Finding[] = [];
  for (const [name, { ok, error, ...details }] of Object.entries(checks)) {
    const part = name === 'store' || name === 'objects' ? 'stores' : name === 'room' ? 'room' : 'server';
    const mend = MENDS[name] ?? 'look at the log of the server';
    if (!ok) findings.push({ part, problem: `${name}: ${error ?? 'it is down'}`, mend });
    for (const [detail, what] of Object.entries({
      down: 'cannot be reached',
      readOnly: 'is read, and takes no files',
    })) {
      const stores = (details as Readonly<Record<string, unknown>>)[detail];
      if (Array.isArray(stores)) findings.push({ part, problem: `${name}: ${stores.join(', ')} ${what}`, mend });
    }
  }
  return findings;
}

/** Whatever its status is. */
async function healthOf(url: string, signal: AbortSignal): Promise<Pick<Health, 'checks'>> {
  const transport = new HttpTransport({ url, answerTimeout: PATIENCE_MS });
  try {
    const answer = await transport.send({ method: 'GET', path: '/healthz', signal });
    const health = await readJson(answer);
    if (isObject(health) && isObject(health['checks'])) return health as unknown as Health;
    throw invalidAnswer(answer, 'it is no health of an IMGAPI');
  } finally {
    await transport.destroy();
  }
}

async function lookAtTasks(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
  const failing = (await operator.listTasks({ signal })).filter(({ state }) => state === 'failing');
  return failing.map(({ name, last_run: run }) => ({
    part: 'server',
    problem: `the task ${name} fails: ${run?.error ?? 'the log has the reason'}`,
    mend: 'see imgapiadm tasks, and the log',
  }));
}

/** What passes of the scrub have found, and nobody has mended yet. */
async function lookAtDamage(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
  const damaged = await operator.adminListFindings({ signal });
  const told = damaged.slice(0, MOST_DAMAGED).map(({ uuid, name, file, message, repair }) => ({
    part: 'files' as const,
    problem: `${file} of image ${uuid} (${name}) is damaged: ${message}${repair ? `; not repaired: ${repair.problem}` : ''}`,
    mend: `imgapiadm verify ${uuid} --repair fetches the right bytes from a linked datacenter; what nobody has, restore from a backup, or delete the image`,
  }));
  const more = damaged.length - told.length;
  if (more === 0) return told;
  const mend = 'see imgapiadm verify --findings; look at the store and its disks';
  return [...told, { part: 'files', problem: `${more} more files are damaged`, mend }];
}

async function lookAtLinks(operator: ImgapiClient, mostSkew: number, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  const skews: number[] = [];
  const links = (await operator.listDatacenters({ signal })).filter(({ kind }) => kind === 'link');
  for (const { name, health } of links) {
    const skew = health?.clock_skew_seconds;
    if (skew !== undefined) skews.push(skew);
    const { checks } = await operator.checkDatacenter(name, { signal });
    for (const { check, ok, detail, mend } of checks) {
      if (ok) continue;
      const part = check === 'clock' ? 'clocks' : 'links';
      findings.push({
        part,
        problem: `${name}: ${check}: ${detail}`,
        mend: mend ?? `see imgapiadm datacenters check ${name}`,
      });
    }
    const isTold = checks.some(({ check, ok }) => check === 'clock' && !ok);
    const found = skew === undefined || isTold ? undefined : clockFinding(name, skew, mostSkew);
    if (found) findings.push(found);
  }
  const isFar = (sign: 1 | -1) => skews.every((skew) => sign * skew > MOST_SKEW_SECONDS);
  const isOurs = skews.length > 1 && (isFar(1) || isFar(-1));
  if (isOurs) {
    const problem = 'all linked datacenters differ from this clock in the same direction: it is this one that is wrong';
    findings.push({ part: 'clocks', problem, mend: 'look at NTP on this machine' });
  }
  return findings;
}
