/** The rules that hold between keys, which the JSON schema cannot say. */
import type { Config } from './config.ts';
import { problem } from './schema.ts';

/** Answers one line for each rule that is broken. */
export function checkRules(config: Config): string[] {
  return [
    ...needsOfMode(config),
    ...backends(config),
    ...channels(config),
    ...leases(config),
    ...retries(config),
    ...listeners(config),
  ];
}

function needsOfMode({ mode, datacenterName, adminUuid }: Config): string[] {
  if (mode !== 'dc') return [];
  const missing = Object.entries({ datacenterName, adminUuid }).filter(([, value]) => value === undefined);
  return missing.map(([key]) => `${key}: missing; mode "dc" needs it`);
}

/** Today's names of backends are known, but only one of each is built in. */
function backends({ databaseType, storageTypes }: Config): string[] {
  const named = [
    ['databaseType', databaseType] as const,
    ...storageTypes.map((type, i) => [`storageTypes[${i}]`, type] as const),
  ];
  return named
    .filter(([, type]) => type !== 'local')
    .map(([key, type]) => problem(key, type, '"local", the only backend of this version'));
}

function channels({ channels = [] }: Config): string[] {
  const names = channels.map((channel) => channel.name);
  const repeated = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
  const found = repeated.map((name) => `channels: ${JSON.stringify(name)} is there more than once; names are unique`);
  const defaults = channels.filter((channel) => channel.default === true).map((channel) => channel.name);
  if (defaults.length > 1) {
    found.push(`channels: ${defaults.join(', ')} are all the default; at most one channel can be`);
  }
  return found;
}

/** A worker has two tries at a heartbeat before its lease lapses. */
function leases({ copies: { leaseSeconds, heartbeatSeconds } }: Config): string[] {
  if (heartbeatSeconds * 2 <= leaseSeconds) return [];
  return [
    problem('copies.heartbeatSeconds', heartbeatSeconds, `at most half of copies.leaseSeconds (${leaseSeconds})`),
  ];
}

function retries({ copies: { retryDelay } }: Config): string[] {
  if (retryDelay.min <= retryDelay.max) return [];
  return [problem('copies.retryDelay.min', retryDelay.min, `at most copies.retryDelay.max (${retryDelay.max})`)];
}

/** Two listeners cannot have one place; port 0 never collides. */
function listeners({ address, port, links, metrics }: Config): string[] {
  const taken = [
    { key: 'port', address, port },
    { key: 'links.port', address: links.address, port: links.port },
    { key: 'metrics.port', address: metrics?.address, port: metrics?.port },
  ].filter((listener) => listener.port);
  return taken.flatMap((listener, i) => {
    const same = taken.slice(0, i).find((one) => one.port === listener.port && one.address === listener.address);
    return same ? [problem(listener.key, listener.port, `another port than ${same.key} at the same address`)] : [];
  });
}
