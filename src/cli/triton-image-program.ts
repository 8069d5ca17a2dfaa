/** The accounts' command as a value: its commands, its options, and what they share. */
import packageJson from '../../package.json' with { type: 'json' };
import { defineProgram } from './framework/program.ts';
import { ancestry } from './triton/commands/ancestry.ts';
import { cancel } from './triton/commands/cancel.ts';
import { cp } from './triton/commands/cp.ts';
import { get } from './triton/commands/get.ts';
import { leave } from './triton/commands/leave.ts';
import { ls } from './triton/commands/ls.ts';
import { share, unshare } from './triton/commands/share.ts';
import { wait } from './triton/commands/wait.ts';
import { explain } from './triton/explain.ts';
import { TRITON_ENVIRONMENT, TRITON_OPTIONS } from './triton/options.ts';
import { Session } from './triton/session.ts';

const NAME = 'triton-image';
const { version } = packageJson;

export const tritonImage = defineProgram({
  name: NAME,
  summary: 'share custom images, and copy them between datacenters',
  version,
  options: TRITON_OPTIONS,
  commands: [ls, get, ancestry, cp, wait, cancel, share, unshare, leave],
  environment: TRITON_ENVIRONMENT,
  open: (options, env) => new Session(options, env, { name: NAME, version }),
  close: (session) => session.close(),
  explain,
});
