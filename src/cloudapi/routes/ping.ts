/** `/--ping`: the only route that needs no account. */
import type { Route } from '../call.ts';
import type { Cloudapi } from '../service.ts';
import { VERSIONS } from '../versions.ts';

export function pingRoute({ config }: Cloudapi): Route {
  return {
    name: 'Ping',
    method: 'GET',
    path: '/--ping',
    isOpen: true,
    handler: async () => ({
      json: { ping: 'pong', cloudapi: { versions: VERSIONS } },
      headers: { 'Triton-Datacenter-Name': config.datacenterName },
    }),
  };
}
