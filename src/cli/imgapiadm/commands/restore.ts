/** `imgapiadm restore`: a data directory made from a backup. */
import type { Stats } from 'node:fs';
import { lchown, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RestoreReport } from '#lib/backup/restore.ts';
import { accepts, reachedAt } from '#lib/network/accepts.ts';
import { listenerUrl } from '#lib/network/listener-url.ts';
import { ifThere } from '#lib/runtime/absence.ts';
import { runningServers } from '#src/service/config/listening.ts';
import { CommandError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { formatBytes } from '../../output/bytes.ts';
import { counted } from '../../output/counted.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import type { LocalData } from '../connection/connection.ts';
import { defineCommand } from '../connection/define-command.ts';
import { missingText, telling } from '../upkeep/backups.ts';

export const restore = defineCommand({
  name: 'restore',
  summary: "restore the server's data from a backup",
  description: [
    "The data directory must be empty or missing, and its server stopped. Run it as the service's user; where root runs it, all is given to the owner of the data directory. Everything is checked by its hash. A restore that is interrupted goes on when it is called again; until it is finished, no server starts on the directory.",
    'What is missing afterwards is listed, as is what no image needs; the exit status is 1 when something is missing. Files of images that are missing are fetched from linked datacenters by imgapiadm verify --repair, once the server runs.',
  ],
  arguments: { DIR: { help: 'The folder of the backup.' } },
  options: {},
  examples: [
    { command: 'imgapiadm restore /backup/imgapi -f /etc/imgapi/imgapi.config.json', what: 'after a loss' },
    { command: 'imgapiadm restore /backup/imgapi --data-dir /tmp/drill', what: 'try the backup beside the server' },
  ],
  async run({ arguments: { DIR: directory }, context, output, json, signal }) {
    const data = await context.localData();
    await refuseWhileServed(data);
    const { restore: restoreBackup } = await import('#lib/backup/restore.ts');
    const options = { directory: resolve(directory), dataDir: data.dataDir, signal };
    const before = await ifThere(stat(data.dataDir));
    const report = await telling(() => restoreBackup(options));
    // Root would leave files that the server may not read.
    if (process.geteuid?.() === 0 && before && before.uid !== 0) await giveAll(data.dataDir, before);
    if (json) output.json(report);
    else tell(output, report, data);
    return report.missing.length + report.lost.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

async function giveAll(folder: string, { uid, gid }: Pick<Stats, 'uid' | 'gid'>): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), uid, gid);
}

/** A server keeps what it has open, also of a directory that was emptied under it. */
async function refuseWhileServed({ dataDir, config }: LocalData): Promise<void> {
  const [url = await listenerOf(config)] = await runningServers(dataDir);
  if (url === undefined) return;
  throw new CommandError(`the server of ${dataDir} is running, at ${url}: stop it first`, { code: 'ServerRuns' });
}

/** Where the configuration lets the server listen, if anything listens there. */
async function listenerOf(config: LocalData['config']): Promise<string | undefined> {
  if (!config || config.port === 0) return undefined;
  const { address, port } = config;
  return (await accepts(address, port)) ? listenerUrl(reachedAt(address), port) : undefined;
}

function tell(output: Output, report: RestoreReport, { dataDir, file }: LocalData): void {
  const { images, files, bytes, made_at, missing, lost, extra, elsewhere } = report;
  const all = `${counted(images, 'image')}, ${counted(files, 'file')}, ${formatBytes(bytes)}`;
  output.line(`${all}, as of ${printable(made_at)}, in ${dataDir}`);
  for (const { path, from } of elsewhere) output.line(printable(`${from} is in ${dataDir}/${path}`));
  for (const path of extra) output.note(`no image needs ${printable(path)}`);
  for (const { path, problem } of lost) output.note(printable(`missing: ${path}: ${problem}`));
  for (const one of missing) output.note(missingText(one));
  const where = file === undefined ? `--data-dir ${dataDir}` : `-f ${file}`;
  if (missing.length > 0) output.note(`start the server, then: imgapiadm verify --repair ${printable(where)}`);
}
