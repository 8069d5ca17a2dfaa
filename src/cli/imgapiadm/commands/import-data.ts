/** `imgapiadm import-data`: takes over the images of today's IMGAPI. */
import { resolve } from 'node:path';
import { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { classicSigner } from '#lib/signing/signers.ts';
import type { ImportReport, TakenImage } from '#src/takeover/report.ts';
import type { DataSource } from '#src/takeover/sources/data-source.ts';
import { CommandError, usageError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { counted } from '../../output/counted.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { fileProblem } from '../../shared/file-problem.ts';
import { defineCommand } from '../connection/define-command.ts';
import { assertOwnFolder } from '../data/own-folder.ts';
import { telling } from '../upkeep/backups.ts';

export const importData = defineCommand({
  name: 'import-data',
  summary: "take over the images of today's IMGAPI",
  description: [
    "SOURCE is the data folder of a standalone IMGAPI (manifests/*.raw, images/, keys), a dump of Moray's bucket imgapi_images (findobjects -H), or the URL of a running IMGAPI. Works on the stores that the configuration names, as the service's user, whether or not the server runs.",
    'Bytes are checked by size and hash, origins come first, and what is imported is usable only when all of it is there. Files in the same file system are not copied: they get another name. What cannot be imported is listed with the reason, the rest is imported, and the exit status is 1.',
    'Run it again after an interruption, or to bring what is new: what was imported before is compared, brought up to date where only the source has changed, and left alone where it was changed or deleted here.',
  ],
  arguments: { SOURCE: { help: 'A folder, a file, or an http or https URL.' } },
  options: {
    'dry-run': {
      type: 'flag',
      short: 'n',
      help: 'Bring nothing; show what would come. Stores that are not there yet are made, empty.',
    },
    files: {
      type: 'value',
      value: 'DIR',
      help: 'The folder that holds images/, for local files. Default: SOURCE, if that is a folder.',
    },
    channel: {
      type: 'value',
      value: 'NAME',
      help: 'The channel of images without any, where the server has channels.',
    },
    'even-deleted': { type: 'flag', help: 'Bring again what was imported before and deleted here.' },
    'sign-as': { type: 'value', value: 'USER', help: 'Sign the requests to a URL as this user.' },
    key: { type: 'value', value: 'FILE', help: 'The private key to sign with.' },
    insecure: { type: 'flag', help: 'Accept a certificate of the URL that no known authority has signed.' },
  },
  examples: [
    {
      command: 'imgapiadm import-data /data/imgapi -f /data/imgapi/etc/imgapi.config.json',
      what: 'a data folder, in place',
    },
    {
      command: 'imgapiadm import-data images.dump --files /data/imgapi -f imgapi.config.json --dry-run',
      what: 'what is in a dump',
    },
    {
      command: 'imgapiadm import-data http://imgapi.us-sw-1.example.com -f imgapi.config.json',
      what: 'a running server',
    },
  ],
  async run({ arguments: { SOURCE: from }, options, context, output, json, signal }) {
    const { 'dry-run': dryRun, channel, 'even-deleted': evenDeleted } = options;
    const { config } = await context.serverConfig();
    await assertOwnFolder(config.dataDir);
    const { runImport } = await import('#src/takeover/run-import.ts');
    const source = await sourceOf(from, options);
    try {
      const onImage = json ? () => {} : (image: TakenImage) => output.line(takenText(image, dryRun));
      const wish = { dryRun, evenDeleted, channel, signal, onImage };
      const report = await telling(() => runImport(config, source, wish)).catch(unreachable);
      if (json) output.json(report);
      else tell(output, report);
      return report.problems.length === 0 ? EXIT.ok : EXIT.failed;
    } finally {
      await source.close();
    }
  },
});

interface SourceOptions {
  readonly files?: string | undefined;
  readonly 'sign-as'?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure: boolean;
}

async function sourceOf(from: string, { files, 'sign-as': user, key, insecure }: SourceOptions): Promise<DataSource> {
  if ((user === undefined) !== (key === undefined)) throw usageError('--sign-as and --key belong together');
  if (!isHttpUrl(from)) {
    const { openSource } = await import('#src/takeover/sources/open-source.ts');
    return openSource(resolve(from), files === undefined ? undefined : resolve(files)).catch(unreadable);
  }
  const { servedSource } = await import('../data/served-source.ts');
  const signer = user === undefined || key === undefined ? undefined : await signerOf(user, key);
  const url = new URL(from);
  const channel = url.searchParams.get('channel') ?? '*';
  const client = new ImgapiClient({ url: from, version: '*', channel, insecure, ...(signer && { signer }) });
  return servedSource(client, from);
}

async function signerOf(keyId: string, file: string) {
  const { loadPrivateKey } = await import('#lib/signing/keys.ts');
  return classicSigner({ key: await loadPrivateKey(file), keyId });
}

function unreadable(cause: unknown): never {
  if (!(cause instanceof Error) || cause.name !== 'UnreadableError') throw cause;
  const { path } = (cause.cause ?? {}) as NodeJS.ErrnoException;
  const message = path === undefined ? cause.message : `${path}: ${fileProblem(cause.cause)}`;
  throw new CommandError(message, { code: 'NoSource', cause });
}

/** The other server: that of the configuration is not asked. */
function unreachable(cause: unknown): never {
  if (!(cause instanceof ImgapiUnreachableError)) throw cause;
  const details = ['run it again when that server can be reached: it goes on where it was'];
  throw new CommandError(cause.message, { code: 'Unreachable', exitCode: EXIT.unreachable, details, cause });
}

function takenText({ uuid, name, version, result, linked, copied, in_place }: TakenImage, dryRun: boolean): string {
  const ways = { 'in place': in_place, linked, [dryRun ? 'to bring' : 'copied']: copied };
  const files = Object.entries(ways).filter(([, count]) => count > 0);
  const how =
    files.length === 0 ? 'no file' : files.map(([way, count]) => `${counted(count, 'file')} ${way}`).join(', ');
  return printable(`${uuid} ${name} ${version}: ${dryRun ? 'would be ' : ''}${result}, ${how}`);
}

function tell(output: Output, report: ImportReport): void {
  const { source, dry_run: dryRun, images, same, left, problems, remarks, keys } = report;
  for (const { uuid, why } of left) output.line(printable(`${uuid}: left alone: ${why}`));
  for (const remark of remarks) output.line(printable(`note: ${remark}`));
  for (const { where, reasons } of problems) output.line(printable(`not imported: ${where}: ${reasons.join('; ')}`));
  const of = (result: TakenImage['result']) => images.filter((image) => image.result === result).length;
  const parts = [`${of('imported')} imported`, `${of('updated')} updated`, `${same} here already`];
  if (left.length > 0) parts.push(`${left.length} left alone`);
  if (problems.length > 0) parts.push(`${problems.length} not imported`);
  if (keys.length > 0) parts.push(`keys of ${counted(keys.length, 'user')}`);
  const isNothing = images.length + left.length + problems.length + keys.length === 0;
  output.line(
    printable(`${source}: ${dryRun ? 'would be: ' : ''}${parts.join(', ')}${isNothing ? '; nothing to do' : ''}`),
  );
}
