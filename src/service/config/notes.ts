/** What a configuration says that is accepted but does nothing, or less than it seems: worth a line in the log. */
import type { Config } from './config.ts';
import type { JsonObject } from './read-file.ts';

const UNUSED_SECTIONS: Readonly<Record<string, string>> = {
  ufds: 'accounts come from accounts.file',
  moray: 'image records are kept in dataDir',
  wfapi: 'long work runs in this service',
  manta: 'image files are kept in dataDir',
};

/** @param given the configuration as it was written */
export function notesOn(given: JsonObject, config: Config): string[] {
  const found = Object.entries(UNUSED_SECTIONS)
    .filter(([key]) => given[key] !== undefined)
    .map(([key, instead]) => `${key}: accepted and not used; ${instead}`);
  const { datacenterName: own = '', mode, authType } = config;
  const urls = given['imgapiUrlFromDatacenter'];
  if (typeof urls === 'object' && urls !== null && Object.hasOwn(urls, own)) {
    found.push(`imgapiUrlFromDatacenter.${own}: this datacenter itself; ignored`);
  }
  if (mode === 'dc' && config.channels) {
    found.push('channels: manifests in mode "dc" take no channels, so no image can be created');
  }
  if (mode === 'public' && authType === 'none') {
    found.push('authType: "none" in mode "public" lets everybody who reaches the port add and delete images');
  }
  return found;
}
