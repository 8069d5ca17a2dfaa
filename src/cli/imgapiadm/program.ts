/** The operators' command as a value: its commands, its options, and what they share. */
import packageJson from '../../../package.json' with { type: 'json' };
import { completion } from '../framework/completion/command.ts';
import { defineProgram } from '../framework/program.ts';
import { ancestry } from './commands/ancestry.ts';
import { backup } from './commands/backup.ts';
import { activate, deleteImages, disable, enable, update } from './commands/change.ts';
import { checkConfig } from './commands/check-config.ts';
import { consoleLogin } from './commands/console-login.ts';
import { copies } from './commands/copies.ts';
import { copiesCancel } from './commands/copies-cancel.ts';
import { copy } from './commands/copy.ts';
import { create, upload } from './commands/create.ts';
import { datacenters, datacentersCheck } from './commands/datacenters.ts';
import { deleted, purge, undelete } from './commands/deleted.ts';
import { deprecate, undeprecate } from './commands/deprecate.ts';
import { doctor } from './commands/doctor.ts';
import { events } from './commands/events.ts';
import { exportData } from './commands/export-data.ts';
import { fanOut, fanOuts, fanOutsCancel, fanOutsRetry } from './commands/fan-outs.ts';
import { get } from './commands/get.ts';
import { importImage } from './commands/import.ts';
import { importData } from './commands/import-data.ts';
import { linkDc } from './commands/link-dc.ts';
import { linkToken } from './commands/link-token.ts';
import { list } from './commands/list.ts';
import { migrate, migrations } from './commands/migrate.ts';
import { protect, unprotect } from './commands/protect.ts';
import { quotaList, quotaSet, quotaShow, quotaUnset } from './commands/quota.ts';
import { reap } from './commands/reap.ts';
import { restore } from './commands/restore.ts';
import { rotateKey } from './commands/rotate-key.ts';
import { scrub } from './commands/scrub.ts';
import { share, unshare } from './commands/share.ts';
import { shareSettings } from './commands/share-settings.ts';
import { tasks } from './commands/tasks.ts';
import { top } from './commands/top.ts';
import { unlinkDc } from './commands/unlink-dc.ts';
import { usage } from './commands/usage.ts';
import { verify } from './commands/verify.ts';
import { webhooks, webhooksRetry } from './commands/webhooks.ts';
import { Connection } from './connection/connection.ts';
import { explain } from './connection/explain.ts';
import { CONNECTION_OPTIONS } from './connection/options.ts';

const NAME = 'imgapiadm';
const { version } = packageJson;

export const imgapiadm = defineProgram({
  name: NAME,
  summary: "the operators' command for Triton's Image API",
  version,
  options: CONNECTION_OPTIONS,
  commands: [
    list,
    get,
    ancestry,
    usage,
    create,
    upload,
    activate,
    importImage,
    update,
    enable,
    disable,
    deleteImages,
    share,
    unshare,
    shareSettings,
    deleted,
    undelete,
    purge,
    protect,
    unprotect,
    deprecate,
    undeprecate,
    copy,
    copies,
    copiesCancel,
    top,
    fanOut,
    fanOuts,
    fanOutsCancel,
    fanOutsRetry,
    quotaList,
    quotaShow,
    quotaSet,
    quotaUnset,
    events,
    datacenters,
    datacentersCheck,
    linkToken,
    linkDc,
    unlinkDc,
    rotateKey,
    reap,
    tasks,
    webhooks,
    webhooksRetry,
    consoleLogin,
    verify,
    scrub,
    migrate,
    migrations,
    backup,
    restore,
    importData,
    exportData,
    checkConfig,
    doctor,
    completion<Connection>(NAME),
  ],
  environment: {
    IMGAPI_URL: 'The server, as --url.',
    IMGAPI_TOKEN: 'A bearer token to send in place of a signature. --token-file wins over it.',
    IMGAPI_DATA_DIR: "The server's data directory, as --data-dir.",
  },
  open: (options, env) => new Connection(options, env, `${NAME}/${version}`),
  close: (connection) => connection.close(),
  explain,
});
