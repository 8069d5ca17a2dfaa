/**
 * Lets the proxy in front send the bytes of a local file. The answer has no body but the file's place, as X-Accel-Redirect:
 * nginx looks it up in a location that nobody else can ask for, and sends it with sendfile. Who may read the file, and what
 * the log says of it, is decided and written as ever.
 */
import { addressRange } from '#lib/network/address-range.ts';
import type { ObjectInfo, ObjectStore } from '#lib/objects/object-store.ts';
import type { WithConfig } from '../service/config/config.ts';
import type { Call } from './call.ts';

/** By this header the proxy says that it takes such answers. Others do so too, so that it needs an address as well. */
const ASKS = 'x-sendfile-type';
const FORM = 'X-Accel-Redirect';

/** The headers by which the bytes are sent; undefined if the service has to send them itself. */
export type AccelRedirect = (
  call: Pick<Call, 'method' | 'headers' | 'remoteAddress'>,
  storage: ObjectStore,
  object: Pick<ObjectInfo, 'path'>,
) => Readonly<Record<string, string>> | undefined;

/** What nginx would decide by its own tag and date of the file: it has not those of the image. */
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];

/** The store whose objects are files that the proxy finds. */
const LOCAL = 'local';

export function accelRedirect({ config }: WithConfig): AccelRedirect {
  const { accelRedirect: settings } = config.storage;
  if (!settings) return () => undefined;
  const proxies = settings.proxies.flatMap((range) => addressRange(range) ?? []);
  return ({ method, headers, remoteAddress }, storage, { path }) => {
    if (headers[ASKS] !== FORM || !proxies.some((range) => range.has(remoteAddress))) return undefined;
    // There are no bytes to send for HEAD, and the headers of the service are the better ones.
    if (method !== 'GET' || storage.name !== LOCAL) return undefined;
    if (CONDITIONS.some((name) => headers[name] !== undefined)) return undefined;
    return { [FORM]: `${settings.prefix}${path}` };
  };
}
