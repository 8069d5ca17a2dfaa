/** The accounts' command as a value: its commands, its options, and what they share. */
import packageJson from '../../../package.json' with { type: 'json' };
import { completion } from '../framework/completion/command.ts';
import { defineProgram } from '../framework/program.ts';
import { accept } from './commands/accept.ts';
import { ancestry } from './commands/ancestry.ts';
import { cancel } from './commands/cancel.ts';
import { clone } from './commands/clone.ts';
import { cp } from './commands/cp.ts';
import { activate, create, upload } from './commands/create.ts';
import { deprecate, undeprecate } from './commands/deprecate.ts';
import { events } from './commands/events.ts';
import { get } from './commands/get.ts';
import { leave } from './commands/leave.ts';
import { ls } from './commands/ls.ts';
import { rm } from './commands/rm.ts';
import { share, unshare } from './commands/share.ts';
import { shareSettings } from './commands/share-settings.ts';
import { sync } from './commands/sync.ts';
import { deleted, undelete } from './commands/undelete.ts';
import { usage } from './commands/usage.ts';
import { wait } from './commands/wait.ts';
import { explain } from './explain.ts';
import { TRITON_ENVIRONMENT, TRITON_OPTIONS } from './options.ts';
import { Session } from './session.ts';

const NAME = 'triton-image';
const { version } = packageJson;

export const tritonImage = defineProgram({
  name: NAME,
  summary: 'make custom images, share them, and copy them between datacenters',
  version,
  options: TRITON_OPTIONS,
  commands: [
    ls,
    get,
    ancestry,
    usage,
    create,
    upload,
    activate,
    cp,
    sync,
    wait,
    cancel,
    share,
    unshare,
    accept,
    leave,
    shareSettings,
    clone,
    rm,
    deleted,
    undelete,
    deprecate,
    undeprecate,
    events,
    completion<Session>(NAME),
  ],
  environment: TRITON_ENVIRONMENT,
  open: (options, env) => new Session(options, env, { name: NAME, version }),
  close: (session) => session.close(),
  explain,
});
