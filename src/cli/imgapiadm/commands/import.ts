/** `imgapiadm import`: an image under the UUID that it has elsewhere. */

import { isHttpUrl } from '#lib/network/http-url.ts';
import { usageError } from '../../framework/errors.ts';
import { shellLine } from '../../output/shell-line.ts';
import { FINISH_BY_OPTION } from '../../shared/copying/finish-by.ts';
import { watchCopy } from '../../shared/copying/order-copy.ts';
import { RECONNECT_SECONDS } from '../../shared/copying/reconnect.ts';
import { readManifest } from '../../shared/images/assignments.ts';
import { importOnce } from '../../shared/images/make-once.ts';
import { readUuid } from '../../shared/images/naming.ts';
import {
  activateUploaded,
  FILE_OPTION,
  localFile,
  MANIFEST_OPTION,
  UPLOAD_OPTIONS,
  uploadedWords,
  uploadFile,
} from '../../shared/images/upload.ts';
import { defineCommand } from '../connection/define-command.ts';
import { tellImage } from './create.ts';

export const importImage = defineCommand({
  name: 'import',
  summary: 'import an image under its own UUID, of files or from another IMGAPI',
  description: [
    'With -S URL the server fetches the image and all that it builds on from the IMGAPI there; the import belongs to the server, and interrupting this command does not end it. With -m and -f the image is made of a manifest and a file of this machine, and activated.',
    'When an import of files is interrupted, the same command goes on.',
  ],
  arguments: { UUID: { count: 'optional', help: 'Needed with -S; else the manifest has it.' } },
  options: {
    source: {
      type: 'value',
      short: 'S',
      value: 'URL',
      help: 'The other IMGAPI.',
      check: (value) => (isHttpUrl(value) ? undefined : 'an http or https URL'),
    },
    manifest: { ...MANIFEST_OPTION, help: 'A manifest in JSON.' },
    file: FILE_OPTION,
    ...UPLOAD_OPTIONS,
    'skip-owner-check': { type: 'flag', help: 'Accept an owner that the directory does not know.' },
    'no-wait': { type: 'flag', help: 'With -S: order the import and leave.' },
    'finish-by': { ...FINISH_BY_OPTION, help: `${FINISH_BY_OPTION.help} Only with -S.` },
  },
  examples: [
    {
      command: 'imgapiadm import 0965c1f4-6995-c095-ecb5-c1a80be2b08e -S https://images.smartos.org',
      what: 'from the public images of SmartOS',
    },
    { command: 'imgapiadm import -m my-image.imgmanifest -f my-image.gz', what: 'of two files' },
  ],
  async run({ options, arguments: { UUID: given }, context, output, json, signal }) {
    const { source, manifest, file: path, compression, storage, 'skip-owner-check': skip, 'no-wait': leave } = options;
    const { 'finish-by': finishBy } = options;
    const uuid = given === undefined ? undefined : readUuid(given);
    if (given !== undefined && uuid === undefined) {
      throw usageError(`UUID is ${JSON.stringify(given)}; it must be a UUID`);
    }
    const owner = skip ? { skip_owner_check: true } : {};
    const client = await context.client();
    if (source !== undefined) {
      if (uuid === undefined || manifest !== undefined || path !== undefined) {
        throw usageError('with -S URL give the UUID of the image, and neither -m nor -f');
      }
      const started = await client.adminImportRemoteImage(uuid, source, {
        ...owner,
        ...(finishBy !== undefined && { finish_by: finishBy }),
        signal,
      });
      if (leave) {
        if (json) output.json(started);
        else output.line(`Ordered: the import of ${uuid}. See: imgapiadm copies`);
        return undefined;
      }
      const watchLine = shellLine(['imgapiadm', 'copies', ...context.words]);
      const endLine = shellLine(['imgapiadm', 'cancel', uuid, ...context.words]);
      return watchCopy({ client, uuid, output, json, signal, watchLine, endLine }, RECONNECT_SECONDS * 1000);
    }
    if (manifest === undefined) throw usageError('give -S URL, or -m FILE with the manifest');
    if (finishBy !== undefined) throw usageError('--finish-by is for an import with -S URL');
    const file = path === undefined ? undefined : await localFile(path, compression);
    const fields = await readManifest(manifest);
    const named = readUuid(String(fields['uuid'] ?? uuid ?? ''));
    if (named === undefined) throw usageError(`the manifest ${manifest} has no UUID; give UUID`);
    if (uuid !== undefined && uuid !== named) throw usageError(`UUID is ${uuid}, but the manifest has ${named}`);
    const ask = () => client.adminImportImage({ ...fields, uuid: named }, { ...owner, signal });
    const imported = await importOnce(
      { ask, look: () => client.getImage(named, { signal }), fields },
      { output, signal },
    );
    if (file === undefined) {
      tellImage(output, json, imported, 'is imported; it waits for its file');
      return undefined;
    }
    try {
      await uploadFile({ client, uuid: named, file, storage, output, signal });
      const image = await activateUploaded({ client, uuid: named, output, signal });
      tellImage(output, json, image, `is imported of ${uploadedWords(file)}, and active`);
      return undefined;
    } catch (error) {
      output.note(`Image ${named} is here, not activated. The same command goes on.`);
      throw error;
    }
  },
});
