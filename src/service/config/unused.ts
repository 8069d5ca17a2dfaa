/** Keys of today's IMGAPI that are accepted, so that its files can be used as they are, but change nothing here. */
import { isDeepStrictEqual } from 'node:util';
import configSchema from '../../../etc/config.schema.json' with { type: 'json' };
import { isObject, type JsonObject } from './read-file.ts';

/** With what is so instead. */
const UNUSED: Readonly<Record<string, string>> = {
  wfapi: 'long work runs in this service',
  dockerRegistryInsecure: 'nothing is fetched from Docker registries',
  lxdRegistries: "nothing is fetched from LXD's registries",
  httpProxy: 'what is fetched from outside is fetched directly',
  maxSockets: 'each engine has a bound of its own',
};

export function isUnused(key: string): boolean {
  return Object.hasOwn(UNUSED, key);
}

/** A line for each of them that asks for more than the default. @param given the configuration as it was written */
export function notesOnUnused(given: JsonObject): string[] {
  const found = Object.entries(UNUSED)
    .filter(([key]) => given[key] !== undefined && !isDeepStrictEqual(given[key], defaultOf(key)))
    .map(([key, instead]) => `${key}: accepted but not used; ${instead}`);
  const { manta } = given;
  if (isObject(manta) && manta['remote'] === true) {
    found.push("manta.remote: accepted but not used; the admin's files are local wherever storageTypes names local");
  }
  return found;
}

function defaultOf(key: string): unknown {
  const properties: Readonly<Record<string, object>> = configSchema.properties;
  const declared = properties[key];
  return declared && 'default' in declared ? declared.default : undefined;
}
