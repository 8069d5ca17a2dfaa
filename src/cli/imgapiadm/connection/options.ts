/** How the operators' command finds its server. */
import { isAclEntry } from '#lib/manifest/acl-entry.ts';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Options, OptionValues } from '../../framework/options.ts';
import { TOKEN_FILE_OPTION } from '../../shared/token.ts';

export const CONNECTION_OPTIONS = {
  url: {
    type: 'value',
    short: 'u',
    value: 'URL',
    help: 'The IMGAPI to talk to. Default: what --config says, else IMGAPI_URL, else the server that is installed here, else http://127.0.0.1:8080.',
    check: (value) => (isHttpUrl(value) ? undefined : 'an http or https URL, such as http://127.0.0.1:8080'),
  },
  account: {
    type: 'value',
    short: 'a',
    value: 'ACCOUNT',
    help: "Act for this account (UUID, or login on the server's machine), not as the operator.",
    check: (value) => (isAclEntry(value) ? undefined : 'the UUID or login of an account'),
  },
  'token-file': TOKEN_FILE_OPTION,
  'data-dir': {
    type: 'value',
    value: 'DIR',
    help: "The server's data directory, where the operator's secret is. Default: what --config says, else IMGAPI_DATA_DIR, else that of the server that is installed here, else ./build/data.",
  },
  config: {
    type: 'value',
    short: 'f',
    value: 'FILE',
    help: "The server's configuration file. Default, where nothing else names a server: the first of /etc/imgapi/imgapi.config.json and /data/imgapi/etc/imgapi.config.json that is there.",
  },
} as const satisfies Options;

export type ConnectionValues = OptionValues<typeof CONNECTION_OPTIONS>;

/** For options that name accounts by nothing but their UUIDs. */
export function checkUuid(value: string): string | undefined {
  return isUuid(value) ? undefined : 'a UUID, such as 0965c1f4-6995-c095-ecb5-c1a80be2b08e';
}
