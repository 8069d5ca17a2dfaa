/**
 * What the templates render from which Triton makes the configuration of its IMGAPI. Metadata that nobody has set are
 * empty texts there, and so a key that has one counts as left out; what `sapiadm update` sets are texts, `false` and numbers
 * too. Both hold only for keys that the templates have.
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
    'logLevel',
  ],
  ...[
    'allowLocalCreateImageFromVm',
    'dockerRegistryInsecure',
    'lxdRegistries',
    'serverName',
    'serverUuid',
    'serviceName',
    'workers',
  ],
]);

/** With the key without which a section is none: the others may be rendered for an engine that is not set up. */
const SECTIONS: Readonly<Record<string, string>> = {
  ufds: 'url',
  moray: 'host',
  manta: 'url',
  vmapi: 'url',
  cnapi: 'url',
  links: 'port',
};

/** What is no text, though it may be given as one. */
const FLAGS: ReadonlySet<string> = new Set([
  ...['allowInsecure', 'allowLocalCreateImageFromVm', 'dockerRegistryInsecure', 'manta.insecure'],
]);
const NUMBERS: ReadonlySet<string> = new Set(['workers', 'links.port']);

/** What it renders for the tools beside that IMGAPI, and for parts of it that came and went. */
const FOR_OTHERS: ReadonlySet<string> = new Set(['docker', 'fluentd_host', 'sapi_service', 'ufds_admin_login']);

/** Leaves out what is empty, and what is for others; makes values of texts. */
export function asRendered(given: JsonObject): JsonObject {
  const kept = Object.entries(given).flatMap(([key, value]) => {
    if ((value === '' && KEYS.has(key)) || FOR_OTHERS.has(key)) return [];
    const address = SECTIONS[key];
    if (address === undefined || !isObject(value)) return [[key, meantBy(key, value)] as const];
    const members = Object.entries(value).filter(([, member]) => member !== '');
    const section = Object.fromEntries(members.map(([name, member]) => [name, meantBy(`${key}.${name}`, member)]));
    // The template has the scheme, metadata the host.
    const isNone = value[address] === '' || value[address] === 'http://';
    return isNone ? [] : [[key, section] as const];
  });
  return Object.fromEntries(kept);
}

/** Other texts stay, and are refused by name. */
function meantBy(key: string, value: unknown): unknown {
  if (FLAGS.has(key) && (value === 'true' || value === 'false')) return value === 'true';
  return NUMBERS.has(key) && typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
}
