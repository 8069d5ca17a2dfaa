/** The sources that images can be copied from, by name. */
import type { Service } from '../../service/service.ts';
import { findLink } from '../links/links.ts';
import { datacenters } from '../links/list-datacenters.ts';
import type { ImageSource } from './source.ts';
import { legacySource, urlSource } from './source-imgapi.ts';
import { linkSource } from './source-link.ts';

/**
 * The datacenter with that name; a link takes precedence over a legacy link. Undefined if there is none. The name may
 * come straight from a request, because URLs are not accepted.
 */
export async function sourceFor(service: Service, name: string): Promise<ImageSource | undefined> {
  if (await findLink(service, name)) return linkSource(service, name);
  const { imgapiUrlFromDatacenter: legacy } = service.config;
  const url = Object.hasOwn(legacy, name) ? legacy[name] : undefined;
  return url === undefined ? undefined : legacySource(service, name, url);
}

/** The source that an order or a transfer recorded: a datacenter's name, or the URL that an operator named. */
export async function recordedSource(service: Service, source: string): Promise<ImageSource | undefined> {
  return isUrl(source) ? urlSource(service, source) : sourceFor(service, source);
}

/** The names of the other datacenters, for messages. */
export async function knownDatacenters(service: Service): Promise<string[]> {
  return (await datacenters(service)).map(({ name }) => name);
}

/** Where the right bytes of a damaged file may be had. */
export async function sourcesOfRepair(service: Service): Promise<ImageSource[]> {
  const sources: ImageSource[] = [];
  for (const name of await knownDatacenters(service)) {
    const source = await sourceFor(service, name);
    if (source) sources.push(source);
  }
  return sources;
}

function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}
