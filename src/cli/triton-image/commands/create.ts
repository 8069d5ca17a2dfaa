/** `triton-image create`, `upload` and `activate`: new images of the account, of a manifest and a file of this machine. */
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { newFields, readAssignments, readManifest } from '../../shared/images/assignments.ts';
import { makeOnce } from '../../shared/images/make-once.ts';
import {
  activateUploaded,
  FILE_OPTION,
  localFile,
  MANIFEST_OPTION,
  UPLOAD_OPTIONS,
  uploadedWords,
  uploadFile,
  uploadsOff,
} from '../../shared/images/upload.ts';
import { defineCommand } from '../define-command.ts';
import { imageId } from '../find-image.ts';
import { imageLabel } from '../image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';

const { compression: COMPRESSION } = UPLOAD_OPTIONS;
const OWN = { whose: 'own', state: 'all', one: true } as const;
const FORMS = 'acl and inherited_directories are lists with commas; tags, requirements and users are JSON.';
const WHERE = 'Only where the operator of the CloudAPI lets accounts bring files.';

export const create = defineCommand({
  name: 'create',
  summary: 'make an image of your own of a file',
  description: [
    `With -f FILE the file is uploaded and the image activated. Without it the image waits for upload and activate. ${WHERE}`,
    'The image is private; triton-image share opens it to others. If the upload fails or is interrupted, the image stays, not activated; the command that goes on is named.',
  ],
  arguments: { 'FIELD=VALUE': { ...newFields('', FORMS), count: 'any' } },
  options: {
    manifest: MANIFEST_OPTION,
    file: FILE_OPTION,
    compression: COMPRESSION,
    'no-activate': { type: 'flag', help: 'Leave it unactivated after the upload.' },
  },
  examples: [
    {
      command: 'triton-image create name=my-image version=1.0.0 type=zone-dataset os=smartos -f root.tar.gz',
      what: 'an image that can be used at once',
    },
    { command: 'triton-image create -m manifest.json', what: 'without its file yet' },
  ],
  async run({ options, arguments: given, context, output, json, signal }) {
    const { manifest, file: path, compression, 'no-activate': noActivate } = options;
    const assigned = readAssignments(given['FIELD=VALUE']);
    const fields = { ...(manifest !== undefined && (await readManifest(manifest))), ...assigned };
    const file = path === undefined ? undefined : await localFile(path, compression);
    const client = await context.cloudapi();
    const created = await makeOnce((key) => client.createImage(fields, key, { signal }), { output, signal }).catch(
      explained,
    );
    const { id } = created;
    if (file === undefined) {
      tell(output, json, created, 'is created; it waits for its file');
      return undefined;
    }
    // Whatever ends this command, its user knows the image.
    output.note(`Image ${id} is created; its file follows.`);
    try {
      const uploaded = await uploadFile({ client, uuid: id, file, storage: undefined, output, signal });
      const image = noActivate ? uploaded : await activateUploaded({ client, uuid: id, output, signal });
      tell(output, json, image, `is created of ${uploadedWords(file)}${noActivate ? '' : ', and active'}`);
      return undefined;
    } catch (error) {
      const words = ['upload', id, file.path, '-c', file.compression, ...(noActivate ? [] : ['--activate'])];
      output.note(`Image ${id} is there, not activated. To go on:  ${context.commandLine(words)}`);
      throw error;
    }
  },
});

export const upload = defineCommand({
  name: 'upload',
  aliases: ['add-file'],
  summary: 'upload the file of an image of your own that is not activated yet',
  description: [
    `It takes the place of any file before it. Its SHA-1 is compared with what the server has stored. ${WHERE}`,
    `When the connection breaks, it is tried again for up to five minutes. An upload that was interrupted goes on when the same command is run again. ${NAMING_OWN}`,
  ],
  arguments: { IMAGE, FILE: { help: 'A file of this machine.' } },
  options: {
    compression: COMPRESSION,
    activate: { type: 'flag', help: 'Activate the image when its file is there.' },
  },
  examples: [{ command: 'triton-image upload my-image root.tar.gz --activate', what: 'and use it' }],
  async run({ options, arguments: { IMAGE: given, FILE: path }, context, output, json, signal }) {
    const { compression, activate: isToBeActive } = options;
    const file = await localFile(path, compression);
    const client = await context.cloudapi();
    const uuid = await imageId(client, given, OWN, signal);
    const uploaded = await uploadFile({ client, uuid, file, storage: undefined, output, signal });
    const image = isToBeActive ? await activateUploaded({ client, uuid, uploaded, output, signal }) : uploaded;
    tell(output, json, image, `has ${uploadedWords(file)}${isToBeActive ? ', and is active' : ''}`);
    return undefined;
  },
});

export const activate = defineCommand({
  name: 'activate',
  summary: 'activate images of your own, so that they can be used',
  description: [`Their files are final then. ${WHERE}`, NAMING_OWN],
  arguments: { IMAGE: { ...IMAGE, count: 'some' } },
  options: {},
  examples: [{ command: 'triton-image activate my-image@1.0.0', what: 'after triton-image upload' }],
  async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
    const client = await context.cloudapi();
    const ids: string[] = [];
    for (const one of given) ids.push(await imageId(client, one, OWN, signal));
    for (const id of ids) tell(output, json, await client.activateImage(id, { signal }).catch(explained), 'is active');
    return undefined;
  },
});

/** A CloudAPI that takes no files knows no such action. @throws CommandError UploadsOff */
function explained(error: unknown): never {
  const isUnknown = error instanceof ImgapiError && error.code === 'InvalidArgument' && /^action /.test(error.message);
  throw isUnknown ? uploadsOff(error) : error;
}

function tell(output: Output, json: boolean, image: CloudapiImage, what: string): void {
  if (json) output.json(image);
  else output.line(`Image ${printable(imageLabel(image))} ${what}.`);
}
