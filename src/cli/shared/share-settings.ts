/** How both commands change and tell what an account wants to be shown of what others share with it. */
import { ACCEPTANCES, type Acceptance } from '#lib/api/acceptance.ts';
import { usageError } from '../framework/errors.ts';
import type { OptionValues } from '../framework/options.ts';
import type { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { assertEntries } from './images/sharing.ts';

const CHOICES = [...ACCEPTANCES, 'default'] as const;

export const SHARE_SETTINGS_OPTIONS = {
  acceptance: {
    type: 'value',
    value: CHOICES.join('|'),
    help: 'automatic: what others share is listed at once; offers: once it is accepted; default: what the operators chose.',
    check: (given: string) => (CHOICES.some((one) => one === given) ? undefined : `one of ${CHOICES.join(', ')}`),
  },
  trust: { type: 'list', value: 'ACCOUNT', help: 'Whose shares need not be accepted: login or UUID.' },
  distrust: { type: 'list', value: 'ACCOUNT', help: 'Whose shares are offers again, named as --trust named it.' },
} as const;

export interface ShownSettings {
  readonly acceptance: Acceptance;
  readonly own: boolean;
  readonly trusted: readonly string[];
}

export interface SettingsChange {
  readonly acceptance?: Acceptance | null;
  readonly trusted?: readonly string[];
}

/**
 * Undefined if nothing is to change.
 * @param read the settings that there are
 * @throws CommandError of usage for what names no account, or nobody who is trusted
 */
export async function changeOf(
  { acceptance, trust, distrust }: OptionValues<typeof SHARE_SETTINGS_OPTIONS>,
  read: () => Promise<ShownSettings>,
): Promise<SettingsChange | undefined> {
  assertEntries([...trust, ...distrust]);
  const chosen = ACCEPTANCES.find((one) => one === acceptance) ?? null;
  const isNamed = trust.length + distrust.length > 0;
  if (acceptance === undefined && !isNamed) return undefined;
  return {
    ...(acceptance !== undefined && { acceptance: chosen }),
    ...(isNamed && { trusted: trustedAfter((await read()).trusted, trust, distrust) }),
  };
}

function trustedAfter(
  before: readonly string[],
  trust: readonly string[],
  distrust: readonly string[],
): readonly string[] {
  const absent = distrust.find((account) => !before.includes(account));
  if (absent !== undefined) throw usageError(`--distrust ${absent}: it is not trusted by that name`);
  return [...new Set([...before, ...trust])].filter((account) => !distrust.includes(account));
}

export function tellSettings(output: Output, settings: ShownSettings): void {
  const { acceptance, own, trusted } = settings;
  const whose = own ? '' : ' (what the operators chose)';
  output.line(
    acceptance === 'automatic'
      ? `What others share is listed at once${whose}.`
      : `What others share is offered, and listed once it is accepted${whose}.`,
  );
  const names = trusted.map(printable).join(', ');
  output.line(names === '' ? 'Nobody is trusted to share without being asked.' : `Trusted: ${names}`);
}
