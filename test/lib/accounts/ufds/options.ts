import type { UfdsOptions } from '#lib/accounts/ufds/options.ts';
import { BIND, USERS } from '../../../doubles/ufds.ts';

/** @param more the URL at least */
export function optionsFor(more: Partial<UfdsOptions> & { readonly url: string }): UfdsOptions {
  return {
    ...{ ...BIND, base: USERS, tls: { insecure: false } },
    ...{ maxConnections: 2, connectTimeout: 2000, timeout: 2000, idle: 60_000 },
    ...more,
  };
}
