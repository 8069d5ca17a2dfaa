/** Points out settings that are accepted but have no effect, or not the expected one: each is worth a line in the log. */
import type { Config } from './config.ts';
import { notesOnCreateFromVm } from './create-from-vm.ts';
import { notesOnManta } from './manta.ts';
import { notesOnMoray } from './moray.ts';
import { notesOnPostgres } from './postgres.ts';
import type { JsonObject } from './read-file.ts';
import { notesOnS3 } from './s3.ts';
import { notesOnUfds } from './ufds.ts';
import { notesOnUnused } from './unused.ts';

/** @param given the configuration as it was written */
export function notesOn(given: JsonObject, config: Config): string[] {
  const found = notesOnUnused(given);
  const { datacenterName: own = '', mode, authType, ufds } = config;
  if (ufds) found.push(...notesOnUfds(ufds));
  else if (given['ufds'] !== undefined) {
    const why = mode === 'dc' ? 'accounts.file is given, and used in its place' : `mode "${mode}" has no accounts`;
    found.push(`ufds: not used: ${why}`);
  }
  found.push(...notesOnCreateFromVm(config));
  found.push(...notesOnManta(config));
  found.push(...notesOnS3(config));
  found.push(...notesOnMoray(config));
  found.push(...notesOnPostgres(config));
  if (config.storage.accelRedirect && !config.storageTypes.includes('local')) {
    found.push('storage.accelRedirect: not used; storageTypes does not name local');
  }
  const urls = given['imgapiUrlFromDatacenter'];
  if (typeof urls === 'object' && urls !== null && Object.hasOwn(urls, own)) {
    found.push(`imgapiUrlFromDatacenter.${own}: this datacenter itself; ignored`);
  }
  if (mode === 'dc' && config.channels) {
    found.push('channels: manifests in mode "dc" cannot name a channel, so no image can be created');
  }
  if (mode === 'public' && authType === 'none') {
    found.push('authType: "none" in mode "public" lets everybody who reaches the port add and delete images');
  }
  return found;
}
