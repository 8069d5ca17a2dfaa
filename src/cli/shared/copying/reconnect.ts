/** For how long a connection that was lost while a copy is watched is made anew. */
import type { OptionSpec } from '../../framework/options.ts';

export const RECONNECT_SECONDS = 600;

export const RECONNECT_OPTION = {
  type: 'value',
  value: 'SECONDS',
  help: `How long to keep trying when the connection to the server is lost. Default: ${RECONNECT_SECONDS}.`,
  check: (value) => (/^\d{1,7}$/.test(value) ? undefined : 'a whole number of seconds'),
} as const satisfies OptionSpec;
