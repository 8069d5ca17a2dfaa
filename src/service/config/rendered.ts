/**
 * What the template renders from which Triton makes the configuration of its IMGAPI. Metadata that nobody has set are
 * empty texts there, and so a key that has one counts as left out; but only those keys that the template has.
 */
import { isObject, type JsonObject } from './read-file.ts';

const KEYS: ReadonlySet<string> = new Set([
  ...[
    'adminIp',
    'adminUuid',
    'allowInsecure',
    'datacenterName',
    'httpProxy',
    'imgapiUrlFromDatacenter',
    'instanceUuid',
  ],
  ...[
    'allowLocalCreateImageFromVm',
    'dockerRegistryInsecure',
    'lxdRegistries',
    'serverName',
    'serverUuid',
    'serviceName',
  ],
]);

/** With the key without which a section is none: the others may be rendered for an engine that is not set up. */
const SECTIONS: Readonly<Record<string, string>> = {
  ufds: 'url',
  moray: 'host',
  manta: 'url',
  vmapi: 'url',
  cnapi: 'url',
};

/** What it renders for the tools beside that IMGAPI, and for parts of it that came and went. */
const FOR_OTHERS: ReadonlySet<string> = new Set(['docker', 'fluentd_host', 'sapi_service', 'ufds_admin_login']);

/** Leaves out what is empty, and what is for others. */
export function withoutEmpty(given: JsonObject): JsonObject {
  const kept = Object.entries(given).flatMap(([key, value]) => {
    if ((value === '' && KEYS.has(key)) || FOR_OTHERS.has(key)) return [];
    const address = SECTIONS[key];
    if (address === undefined || !isObject(value)) return [[key, value] as const];
    const section = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== ''));
    // The template has the scheme, metadata the host.
    const isNone = value[address] === '' || value[address] === 'http://';
    return isNone ? [] : [[key, section] as const];
  });
  return Object.fromEntries(kept);
}
