/** How commands name images. */

export const IMAGE = {
  help: 'UUID, NAME, NAME@VERSION (of several the one published last), or the first 8 digits of the UUID.',
} as const;

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
