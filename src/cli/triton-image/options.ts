/** How the accounts' command finds its CloudAPI, account and key: as `triton` does. */

import { isHttpUrl } from '#lib/network/http-url.ts';
import type { Options, OptionValues } from '../framework/options.ts';
import { TOKEN_FILE_OPTION } from '../shared/token.ts';
import { PASSPHRASE_ENVIRONMENT } from './passphrase.ts';

export const TRITON_OPTIONS = {
  profile: {
    type: 'value',
    short: 'p',
    value: 'NAME',
    help: 'The profile to use, "env" for the environment. Default: TRITON_PROFILE, else the current one of triton, else env.',
  },
  account: { type: 'value', short: 'a', value: 'ACCOUNT', help: "Login of the account, instead of the profile's." },
  'act-as': { type: 'value', value: 'ACCOUNT', help: 'Act for this account; for operators.' },
  user: { type: 'value', short: 'u', value: 'USER', help: "Sub-user of the account, instead of the profile's." },
  role: {
    type: 'value',
    short: 'r',
    value: 'ROLE,...',
    help: 'Roles that the sub-user takes, instead of those that it has by default; * for all of its own.',
  },
  keyId: {
    type: 'value',
    short: 'k',
    value: 'FP',
    help: "Fingerprint (MD5 or SHA256) of the SSH key to sign with, instead of the profile's.",
  },
  'token-file': TOKEN_FILE_OPTION,
  url: {
    type: 'value',
    short: 'U',
    value: 'URL',
    help: "The CloudAPI, instead of the profile's.",
    check: (value) => (isHttpUrl(value) ? undefined : 'an http or https URL'),
  },
  insecure: { type: 'flag', short: 'i', help: 'Accept any TLS certificate of the CloudAPI.' },
} as const satisfies Options;

export type TritonValues = OptionValues<typeof TRITON_OPTIONS>;

/** The options that lead to the same CloudAPI and account in another command. */
export function optionWords(values: TritonValues): string[] {
  const { profile, account, 'act-as': actAs, user, role, keyId, 'token-file': tokenFile, url, insecure } = values;
  const named = { '-p': profile, '-a': account, '--act-as': actAs, '-u': user, '-r': role, '-k': keyId };
  const given = { ...named, '--token-file': tokenFile, '-U': url };
  return [
    ...Object.entries(given).flatMap(([option, value]) => (value === undefined ? [] : [option, value])),
    ...(insecure ? ['-i'] : []),
  ];
}

export const TRITON_ENVIRONMENT: Readonly<Record<string, string>> = {
  TRITON_PROFILE: 'The profile, as --profile.',
  TRITON_CONFIG_DIR: 'Where profiles are. Default: triton below XDG_CONFIG_HOME, else ~/.triton.',
  TRITON_URL: 'The CloudAPI of the profile env; or SDC_URL.',
  TRITON_ACCOUNT: 'Its account; or SDC_ACCOUNT.',
  TRITON_USER: 'Its sub-user; or SDC_USER.',
  TRITON_ROLE: 'The roles that the sub-user takes, as --role.',
  TRITON_KEY_ID: 'Its key; or SDC_KEY_ID.',
  TRITON_TOKEN: 'A bearer token to send in place of a signature; or SDC_TOKEN. --token-file wins over it.',
  TRITON_ACT_AS: 'The account that it acts for.',
  TRITON_TLS_INSECURE: '1: accept any TLS certificate; or SDC_TLS_INSECURE.',
  ...PASSPHRASE_ENVIRONMENT,
  SSH_AUTH_SOCK: 'The SSH agent, which is asked for the key unless a file in ~/.ssh holds it.',
};
