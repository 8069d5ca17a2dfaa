/** What one side of a link allows the other. */

import type { Options, OptionValues } from '../../framework/options.ts';
import { checkUuid } from '../connection/options.ts';

export const LINK_TERMS = {
  accounts: {
    type: 'list',
    value: 'UUID,...',
    help: 'The accounts whose images the other datacenter may read. Default: all.',
    check: checkUuid,
  },
  'pull-origin': {
    type: 'list',
    value: 'ORIGIN,...',
    help: 'Also accept pull URLs of the other datacenter from these origins (scheme, host, port), besides its link listener.',
    check: (value) => (isOrigin(value) ? undefined : 'an origin, such as https://manta.example.com'),
  },
} as const satisfies Options;

/** As the link routes take it. */
export function termsBody(options: OptionValues<typeof LINK_TERMS>): Record<string, readonly string[]> {
  const { accounts, 'pull-origin': origins } = options;
  return {
    ...(accounts.length > 0 && { allowed_accounts: accounts }),
    ...(origins.length > 0 && { pull_origins: origins }),
  };
}

function isOrigin(value: string): boolean {
  return /^https?:/i.test(value) && URL.canParse(value) && new URL(value).origin === value.toLowerCase();
}
