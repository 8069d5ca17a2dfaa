/** The credentials for a registry that come in headers. They are looked at, and neither used nor logged. */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { parseJsonText } from '#lib/text/json.ts';
import type { Call } from './call.ts';

/** Docker's own name for its registry in its configuration. */
const HUB = 'https://index.docker.io/v1/';

/**
 * A header that cannot be read counts as absent, as it always has.
 * @param registry as in the reference; undefined: only `x-registry-auth` counts
 * @throws 400 NotImplemented for a token in place of a name and a password
 */
export function assertNoIdentityToken({ headers }: Call, registry?: string): void {
  const all = registry === undefined ? undefined : decoded(headers['x-registry-config']);
  const found = registry === undefined ? undefined : (all?.[registry] ?? (registry === 'docker.io' && all?.[HUB]));
  const credentials = decoded(headers['x-registry-auth']) ?? found;
  if (!isObject(credentials) || !credentials['identitytoken']) return;
  throw new ApiError(
    'NotImplemented',
    'identity tokens of Docker registries are not supported; log in with a password',
  );
}

function decoded(header: string | readonly string[] | undefined): Readonly<Record<string, unknown>> | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    const value = parseJsonText(Buffer.from(header, 'base64').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
