/** `imgapiadm backup`: documents, files and keys of a datacenter in a folder, while its server runs. */
import { resolve } from 'node:path';
import type { BackupReport } from '#lib/backup/back-up.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { formatBytes } from '../../output/bytes.ts';
import { counted } from '../../output/counted.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import type { LocalData } from '../connection/connection.ts';
import { defineCommand } from '../connection/define-command.ts';
import { missingText, telling } from '../upkeep/backups.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: "back up the server's data into a folder",
  description: [
    "Works on the data directory itself, as the service's user, whether or not the server runs. The documents are those of one moment, with every file that they name. What an earlier backup in the same folder has, by hash and size, is not copied again; a backup that is interrupted leaves the earlier one as it was.",
    "Besides the documents and the files of images, the backup holds the operator's secret, authkeys, the accounts and whatever else is in the data directory, and with --config that file and the accounts that it names elsewhere. Keys of links are among the documents. It holds secrets: only its owner may read it. Staging and pull links are left out: what was being fetched begins again.",
    'What lies in Manta or S3 is not in the backup; it says how much that is.',
    'The exit status is 1 when a file cannot be read or an image lacks its file; the rest is backed up.',
  ],
  arguments: { DIR: { help: 'The folder of the backup; created if missing.' } },
  options: { reread: { type: 'flag', help: 'Read again what the backup has, and replace what is damaged.' } },
  examples: [
    { command: 'imgapiadm backup /backup/imgapi -f /etc/imgapi/imgapi.config.json', what: 'for a nightly run' },
    { command: 'imgapiadm backup /backup/imgapi --reread', what: 'check the backup as well, and mend it' },
  ],
  async run({ options: { reread }, arguments: { DIR: directory }, context, output, json, signal }) {
    const data = await context.localData();
    const { backUp } = await import('#lib/backup/back-up.ts');
    const { dataDir } = data;
    const report = await telling(() =>
      backUp({ dataDir, directory: resolve(directory), elsewhere: elsewhereOf(data), reread, signal }),
    );
    if (json) output.json(report);
    else tell(output, report);
    return report.missing.length + report.unreadable.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

/** What belongs to the datacenter and may lie outside its data directory. */
function elsewhereOf({ dataDir, config, file }: LocalData): Record<string, string> {
  const accounts = config?.accounts.file;
  return {
    ...(file !== undefined && !isBelow(file, dataDir) && { 'config.json': file }),
    ...(accounts !== undefined && !isBelow(accounts, dataDir) && { 'accounts.json': accounts }),
  };
}

function isBelow(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`);
}

function tell(output: Output, report: BackupReport): void {
  const { images, files, bytes, added, missing, shared, left_out, unreadable } = report;
  output.line(
    `${counted(images, 'image')}, ${counted(files, 'file')}, ${formatBytes(bytes)}; new: ${counted(added.files, 'file')}, ${formatBytes(added.bytes)}`,
  );
  for (const [store, held] of Object.entries(shared)) {
    const size = `${counted(held.files, 'file')}, ${formatBytes(held.bytes)}`;
    output.note(printable(`not in the backup, because they lie in ${store}: ${size}`));
  }
  for (const path of left_out) output.note(`left out, not a regular file: ${printable(path)}`);
  for (const { path, problem } of unreadable) output.note(printable(`missing: ${path}: ${problem}`));
  for (const file of missing) output.note(missingText(file));
  if (missing.length > 0) output.note('fetch what is missing from a linked datacenter: imgapiadm verify --repair');
}
