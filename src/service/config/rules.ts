/** Rules between keys, which the JSON schema cannot express. */
import type { Config } from './config.ts';
import { mantaRules } from './manta.ts';
import { morayRules } from './moray.ts';
import { checkPostgres } from './postgres.ts';
import { checkS3 } from './s3.ts';
import { problem } from './schema.ts';
import { tokenRules } from './tokens.ts';
import { webhookRules } from './webhooks.ts';

/** Returns one line for each rule that is broken. */
export function checkRules(config: Config): string[] {
  return [
    ...needsOfMode(config),
    ...storages(config),
    ...mantaRules(config),
    ...checkS3(config),
    ...morayRules(config),
    ...checkPostgres(config),
    ...channels(config),
    ...leases(config),
    ...retries(config),
    ...listeners(config),
    ...webhookRules(config),
    ...tokens(config),
  ];
}

function needsOfMode({ mode, datacenterName, adminUuid }: Config): string[] {
  if (mode !== 'dc') return [];
  const missing = Object.entries({ datacenterName, adminUuid }).filter(([, value]) => value === undefined);
  return missing.map(([key]) => `${key}: missing; mode "dc" needs it`);
}

/** Where nothing is checked, a token would let nobody in, and keep nobody out. */
function tokens({ authType, tokens: given }: Config): string[] {
  if (given === undefined || authType === 'signature') return tokenRules(given);
  return [`tokens: not with authType "${authType}", which checks nothing; set authType to "signature"`];
}

/** Each name is one store. */
function storages({ storageTypes }: Config): string[] {
  if (new Set(storageTypes).size === storageTypes.length) return [];
  return [problem('storageTypes', storageTypes, 'a list in which each name stands once')];
}

function channels({ channels = [] }: Config): string[] {
  const names = channels.map((channel) => channel.name);
  const repeated = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
  const found = repeated.map(
    (name) => `channels: ${JSON.stringify(name)} appears more than once; names must be unique`,
  );
  const defaults = channels.filter((channel) => channel.default === true).map((channel) => channel.name);
  if (defaults.length > 1) {
    found.push(`channels: ${defaults.join(', ')} are all marked as the default; at most one channel may be`);
  }
  return found;
}

/** A worker can try twice to send a heartbeat before its lease lapses. */
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

/** Two listeners cannot share an address and port; port 0 never collides. */
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
