/** `imgapiadm export-data`: all images in a form that today's IMGAPI reads. */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ifThere } from '#lib/runtime/absence.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { counted } from '../../output/counted.ts';
import { printable } from '../../output/printable.ts';
import { fileProblem } from '../../shared/file-problem.ts';
import { defineCommand } from '../connection/define-command.ts';
import { assertOwnFolder } from '../data/own-folder.ts';
import { telling } from '../upkeep/backups.ts';

export const exportData = defineCommand({
  name: 'export-data',
  summary: "write all images so that today's IMGAPI reads them",
  description: [
    "TARGET is a file: a dump of Moray's bucket imgapi_images, an object a line, as findobjects -H prints it. With --folder it is the data folder of a standalone IMGAPI: records, files that are not in Manta, and keys; files in the same file system are not copied. Works on the stores that the configuration names, whether or not the server runs.",
    "Logins that images are shared with, which today's IMGAPI does not know, are left out and the images named; so are placeholders of copies. The exit status is 1 when an image could not be used there, or lacks bytes.",
  ],
  arguments: { TARGET: { help: 'The file; with --folder, the folder.' } },
  options: { folder: { type: 'flag', help: 'Write a data folder.' } },
  examples: [
    { command: 'imgapiadm export-data images.dump -f imgapi.config.json', what: 'for putobject' },
    { command: 'imgapiadm export-data /data/before --folder -f imgapi.config.json', what: 'for a standalone IMGAPI' },
  ],
  async run({ arguments: { TARGET: target }, options: { folder }, context, output, json, signal }) {
    const { config } = await context.serverConfig();
    await assertOwnFolder(config.dataDir);
    await assertTarget(resolve(target), folder);
    const { runExport } = await import('#src/takeover/run-export.ts');
    const report = await telling(() => runExport(config, resolve(target), { asFolder: folder, signal }));
    const { images, left_out: leftOut, problems, shared_by_login: byLogin } = report;
    if (json) output.json(report);
    else {
      for (const { uuid, why } of problems) output.line(printable(`${uuid}: ${why}`));
      for (const uuid of byLogin) output.line(`${uuid}: shared with logins, which are left out`);
      const rest = leftOut > 0 ? `; ${leftOut} left out, being copied or deleted` : '';
      output.line(printable(`${counted(images, 'image')} in ${target}${rest}`));
    }
    return problems.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

/** Before anything is read: all images may take hours. @throws CommandError NoTarget */
async function assertTarget(target: string, asFolder: boolean): Promise<void> {
  const above = dirname(target);
  try {
    const there = await ifThere(stat(target));
    if (there?.isDirectory() && !asFolder) {
      throw noTarget(`${target}: it is a folder; --folder writes a data folder there`);
    }
    if (there?.isFile() && asFolder) throw noTarget(`${target}: it is a file; without --folder a dump takes its place`);
    if (!asFolder && !(await ifThere(stat(above)))?.isDirectory()) throw noTarget(`${above}: there is no such folder`);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw noTarget(`${target}: ${fileProblem(cause)}`, cause);
  }
}

function noTarget(message: string, cause?: unknown): CommandError {
  return new CommandError(message, { code: 'NoTarget', cause });
}
