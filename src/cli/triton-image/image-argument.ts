/** How commands name images. */
import { NAMING_HELP } from '../shared/images/naming.ts';

export const IMAGE = { help: NAMING_HELP } as const;

export const OWNER_OPTION = {
  type: 'value',
  short: 'S',
  value: 'OWNER',
  help: 'Look the name up among what this account (login or UUID) shares with you.',
} as const;

/** For descriptions. */
export const NAMING =
  'A name finds only your own and public images, never one that somebody else shares with you; for that, say whose it is with -S OWNER.';
export const NAMING_OWN = 'A name finds only your own images.';
