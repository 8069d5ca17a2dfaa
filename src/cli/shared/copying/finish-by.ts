/** The option for a time by which copies are to have ended. */
export const FINISH_BY_OPTION = {
  type: 'value',
  value: 'DATE',
  help: 'When the copy is to have ended: it takes more of the bandwidth of the link, if it needs to.',
} as const;
