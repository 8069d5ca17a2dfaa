/** How commands name images. */

export const IMAGE = {
  help: 'UUID, NAME, NAME@VERSION (of several the one published last), or the first 8 digits of the UUID.',
} as const;

export const OWNER_OPTION = {
  type: 'value',
  short: 'S',
  value: 'OWNER',
  help: 'By name find what this account (login or UUID) shares, instead of what is your own or public.',
} as const;

/** For descriptions. */
export const NAMING =
  'By name only your own and public images are found: one that somebody else shares with you is never taken for them. -S OWNER says whose you mean.';
export const NAMING_OWN = 'By name only your own images are found.';
