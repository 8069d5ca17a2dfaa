/** What is wrong with a server that runs: its parts, by its own word, and its links with other datacenters, from both sides. */

import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { Finding } from './finding.ts';

/** What to do when a part of `GET /healthz` is down. */
const MENDS: Readonly<Record<string, string>> = {
  store: 'look at the database, its log and its disk',
  objects: 'look at the object store that the message names, and at the way there',
  room: 'delete images, or give the store more room',
  directory: 'look at the directory of accounts, and at the way there',
};
/** Signatures are refused from five minutes on. */
const MOST_SKEW_SECONDS = 60;

/** @param operator a client of the server, with the operator's secret */
export async function lookAtServer(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
  const findings = await Promise.all([
    lookAtParts(operator, signal),
    lookAtTasks(operator, signal),
    lookAtLinks(operator, signal),
  ]);
  return findings.flat();
}

async function lookAtParts(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
  const health = await operator.healthz({ signal }).catch((error: unknown) => {
    if (error instanceof ImgapiError && error.statusCode === 503) return error;
    throw error;
  });
  if (health instanceof Error) {
    return [
      { part: 'stores', problem: health.message, mend: 'look at the part whose "ok" is false there, and at the log' },
    ];
  }
  const { checks } = health;
  const findings: Finding[] = [];
  for (const [name, { ok, error, ...details }] of Object.entries(checks)) {
    const part = name === 'store' || name === 'objects' ? 'stores' : name === 'room' ? 'room' : 'server';
    const mend = MENDS[name] ?? 'look at the log of the server';
    if (!ok) findings.push({ part, problem: `${name}: ${error ?? 'it is down'}`, mend });
    const down = 'down' in details && Array.isArray(details.down) ? details.down : [];
    if (down.length > 0) findings.push({ part, problem: `${name}: ${down.join(', ')} cannot be reached`, mend });
  }
  return findings;
}

async function lookAtTasks(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
  const failing = (await operator.listTasks({ signal })).filter(({ state }) => state === 'failing');
  return failing.map(({ name, last_run: run }) => ({
    part: 'server',
    problem: `the task ${name} fails: ${run?.error ?? 'the log has the reason'}`,
    mend: 'see imgapiadm tasks, and the log',
  }));
}

async function lookAtLinks(operator: ImgapiClient, signal: AbortSignal): Promise<Finding[]> {
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
    if (skew === undefined || Math.abs(skew) <= MOST_SKEW_SECONDS || isTold) continue;
    const way = skew > 0 ? 'ahead of' : 'behind';
    const problem = `the clock of ${name} is ${Math.abs(skew)} s ${way} this one`;
    findings.push({ part: 'clocks', problem, mend: 'look at NTP on both sides, before signatures are refused' });
  }
  const isFar = (sign: 1 | -1) => skews.every((skew) => sign * skew > MOST_SKEW_SECONDS);
  const isOurs = skews.length > 1 && (isFar(1) || isFar(-1));
  if (isOurs) {
    const problem = 'all linked datacenters differ from this clock in the same direction: it is this one that is wrong';
    findings.push({ part: 'clocks', problem, mend: 'look at NTP on this machine' });
  }
  return findings;
}
