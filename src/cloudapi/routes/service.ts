/** CloudAPI itself: operations that need no account. */
import { readFile } from 'node:fs/promises';
import { CLOUDAPI_VERSIONS } from '#lib/api/cloudapi/form.ts';
import type { SERVICE } from '#lib/api/cloudapi/service.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import type { Reply } from '../../http-kit/call.ts';
import { healthOf, healthReply } from '../../http-kit/health.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import type { Call } from '../call.ts';
import type { Cloudapi } from '../service.ts';

const DOCUMENT = new URL('../../../docs/openapi-cloudapi.json', import.meta.url);

/** Where Triton's CloudAPI sends them too. */
const DOCS = 'https://apidocs.tritondatacenter.com';

export function serviceHandlers({ imgapi, accounts, config, log }: Cloudapi): Handlers<typeof SERVICE, Call> {
  const health = healthOf(
    [
      {
        name: 'imgapi',
        async run() {
          await imgapi.ping();
          return undefined;
        },
      },
      {
        name: 'directory',
        async run() {
          await accounts.byUuid(config.adminUuid ?? NIL_UUID);
          return undefined;
        },
      },
    ],
    log,
  );

  return {
    async Ping() {
      return {
        json: { ping: 'pong', cloudapi: { versions: CLOUDAPI_VERSIONS.toReversed() } },
        headers: { 'Triton-Datacenter-Name': config.datacenterName },
      };
    },

    /** Strangers may call it: they learn which part is unhealthy, but only the log says why. */
    async Healthz() {
      return healthReply(await health(), false);
    },

    /** As it is written down: making it anew holds up everybody else for a while. */
    async OpenApi() {
      return { text: await readFile(DOCUMENT, 'utf8') };
    },

    Root: async () => leadsTo(`${DOCS}/cloudapi/`),
    Docs: async () => leadsTo(`${DOCS}/cloudapi/`),
    Favicon: async () => leadsTo(`${DOCS}/favicon.ico`),
  };
}

function leadsTo(url: string): Reply {
  return { status: 302, headers: { Location: url } };
}
