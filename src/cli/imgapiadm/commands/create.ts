/** `imgapiadm create` and `upload`: new images, of a manifest and a file of this machine. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { STORAGE_TYPES } from '#src/service/config/config.ts';
import { CommandError } from '../../framework/errors.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { shellLine } from '../../output/shell-line.ts';
import { newFields, readAssignments, readManifest } from '../../shared/images/assignments.ts';
import { IMAGE_ARGUMENT, imageUuid } from '../../shared/images/find-image.ts';
import { makeOnce } from '../../shared/images/make-once.ts';
import {
  activateUploaded,
  FILE_OPTION,
  type LocalFile,
  localFile,
  MANIFEST_OPTION,
  UPLOAD_OPTIONS,
  uploadedWords,
  uploadFile,
} from '../../shared/images/upload.ts';
import type { Connection } from '../connection/connection.ts';
import { defineCommand } from '../connection/define-command.ts';
import { withOwner } from '../connection/owner.ts';

export const create = defineCommand({
  name: 'create',
  summary: 'create an image of a manifest and a file',
  description: [
    'With -f FILE the file is uploaded and the image activated. Without it the image waits for upload and activate.',
    "The owner is named by UUID, or by login on the server's machine; with --account it is that account.",
    'If the upload fails or is interrupted, the image stays, not activated; the command that goes on is named.',
  ],
  arguments: { 'FIELD=VALUE': { ...newFields('owner, '), count: 'any' } },
  options: {
    manifest: MANIFEST_OPTION,
    file: FILE_OPTION,
    ...UPLOAD_OPTIONS,
    'no-activate': { type: 'flag', help: 'Leave it unactivated after the upload.' },
  },
  examples: [
    {
      command:
        'imgapiadm create name=my-image version=1.0.0 type=zone-dataset os=linux owner=930896af-bf8c-48d4-885c-6573a94b1853 -f root.tar.gz',
      what: 'an image that can be used at once',
    },
    { command: 'imgapiadm create -m manifest.json acl=bob,carol -a alice', what: "alice's, without its file yet" },
  ],
  async run({ options, arguments: given, context, output, json, signal }) {
    const { manifest, file: path, compression, storage, 'no-activate': noActivate } = options;
    const assigned = readAssignments(given['FIELD=VALUE']);
    const wanted = { ...(manifest !== undefined && (await readManifest(manifest))), ...assigned };
    const file = path === undefined ? undefined : await localFile(path, compression);
    const fields = await withOwner(context, wanted);
    const client = await context.client();
    const account = await context.account();
    if (storage !== undefined) await assertStorage(client, storage, account, signal);
    const manifestOf = { ...(account !== undefined && { owner: account }), ...fields };
    const created = await makeOnce((idempotencyKey) => client.createImage(manifestOf, { idempotencyKey, signal }), {
      output,
      signal,
    });
    const { uuid } = created;
    if (file === undefined) {
      tellImage(output, json, created, 'is created; it waits for its file');
      return undefined;
    }
    // Whatever ends this command, its user knows the image.
    output.note(`Image ${uuid} is created; its file follows.`);
    try {
      const uploaded = await uploadFile({ client, uuid, file, storage, output, signal });
      const image = noActivate ? uploaded : await activateUploaded({ client, uuid, output, signal });
      tellImage(output, json, image, `is created of ${uploadedWords(file)}${noActivate ? '' : ', and active'}`);
      return undefined;
    } catch (error) {
      tellHowToGoOn(output, context, uuid, { file, storage, activate: !noActivate });
      throw error;
    }
  },
});

export const upload = defineCommand({
  name: 'upload',
  aliases: ['add-file'],
  summary: 'upload the file of an image that is not activated yet',
  description: [
    'It takes the place of any file before it. Its SHA-1 is compared with what the server has stored.',
    'When the connection breaks, it is tried again for up to five minutes. An upload of a large file (16 MiB or more) that was interrupted goes on when the same command is run again; a smaller one begins again.',
  ],
  arguments: { IMAGE: IMAGE_ARGUMENT, FILE: { help: 'A file of this machine.' } },
  options: { ...UPLOAD_OPTIONS, activate: { type: 'flag', help: 'Activate the image when its file is there.' } },
  examples: [
    { command: 'imgapiadm upload 0965c1f4-6995-c095-ecb5-c1a80be2b08e root.tar.gz --activate', what: 'and use it' },
  ],
  async run({ options, arguments: { IMAGE: given, FILE: path }, context, output, json, signal }) {
    const { compression, storage, activate } = options;
    const file = await localFile(path, compression);
    const client = await context.client();
    const uuid = await imageUuid(client, given, { account: await context.account(), signal });
    const uploaded = await uploadFile({ client, uuid, file, storage, output, signal });
    const image = activate ? await activateUploaded({ client, uuid, uploaded, output, signal }) : uploaded;
    tellImage(output, json, image, `has ${uploadedWords(file)}${activate ? ', and is active' : ''}`);
    return undefined;
  },
});

/**
 * Before there is an image that lacks its file. What a server does not say, it judges itself.
 * @throws CommandError InvalidParameter
 */
async function assertStorage(
  client: ImgapiClient,
  storage: string,
  account: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const refused = (message: string) => new CommandError(message, { code: 'InvalidParameter' });
  if (account !== undefined) throw refused('only operators may choose the storage: leave out --storage or --account');
  const stores = await storesOf(client, signal);
  // For a kind of store any server takes the usual one.
  if (stores === undefined || stores.includes(storage) || STORAGE_TYPES.some((type) => type === storage)) return;
  throw refused(`storage is ${JSON.stringify(storage)}; the stores here are: ${stores.join(', ')}`);
}

async function storesOf(client: ImgapiClient, signal: AbortSignal): Promise<readonly string[] | undefined> {
  try {
    const { storageTypes } = await client.adminGetState({ signal });
    return Array.isArray(storageTypes) ? storageTypes : undefined;
  } catch (error) {
    if (error instanceof ImgapiError) return undefined;
    throw error;
  }
}

/** `Image UUID (name@version) is created.` */
export function tellImage(output: Output, json: boolean, image: Image, what: string): void {
  if (json) output.json(image);
  else output.line(`Image ${printable(`${image.uuid} (${image.name}@${image.version})`)} ${what}.`);
}

interface Upload {
  readonly file: LocalFile;
  readonly storage: string | undefined;
  readonly activate: boolean;
}

function tellHowToGoOn(output: Output, context: Connection, uuid: string, { file, storage, activate }: Upload): void {
  const line = shellLine([
    ...['imgapiadm', 'upload', uuid, file.path, '-c', file.compression],
    ...(storage === undefined ? [] : ['--storage', storage]),
    ...(activate ? ['--activate'] : []),
    ...context.words,
  ]);
  output.note(`Image ${uuid} is there, not activated. To go on:  ${line}`);
}
