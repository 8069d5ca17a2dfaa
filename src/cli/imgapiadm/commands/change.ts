/** `imgapiadm activate`, `enable`, `disable`, `update` and `delete`: what operators change of images. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { usageError } from '../../framework/errors.ts';
import { ASSIGNMENT, readAssignments, readManifest } from '../../shared/images/assignments.ts';
import { IMAGE_ARGUMENT, imageUuid, imageUuids } from '../../shared/images/find-image.ts';
import { defineCommand, type ServerCommand } from '../connection/define-command.ts';
import { withOwner } from '../connection/owner.ts';
import { tellImage } from './create.ts';

const IMAGES = { ...IMAGE_ARGUMENT, count: 'some' } as const;
const EXAMPLE = '0965c1f4-6995-c095-ecb5-c1a80be2b08e';

export const activate = switching(
  'activate',
  'activate images, so that they can be used',
  'is active',
  'activateImage',
);
export const enable = switching('enable', 'allow new instances of images again', 'is enabled', 'enableImage');
export const disable = switching('disable', 'allow no new instances of images', 'is disabled', 'disableImage');

export const update = defineCommand({
  name: 'update',
  summary: 'change fields of an image',
  description: ["An owner is named by UUID, or by login on the server's machine."],
  arguments: { IMAGE: IMAGE_ARGUMENT, 'FIELD=VALUE': { ...ASSIGNMENT, count: 'any' } },
  options: {
    manifest: {
      type: 'value',
      short: 'm',
      value: 'FILE',
      help: 'Fields in JSON; what FIELD=VALUE says wins over them.',
    },
  },
  examples: [
    { command: `imgapiadm update ${EXAMPLE} description='what it is for' public=true`, what: 'two fields' },
    { command: `imgapiadm update my-image 'tags={"role":"web"}' homepage=`, what: 'tags anew, and no homepage' },
  ],
  async run({ options: { manifest }, arguments: given, context, output, json, signal }) {
    const assigned = readAssignments(given['FIELD=VALUE']);
    const wanted = { ...(manifest !== undefined && (await readManifest(manifest))), ...assigned };
    if (Object.keys(wanted).length === 0) throw usageError('nothing to change: give FIELD=VALUE, or -m FILE');
    const fields = await withOwner(context, wanted);
    const client = await context.client();
    const uuid = await imageUuid(client, given.IMAGE, { account: await context.account(), signal });
    const image = await client.updateImage(uuid, fields, { signal });
    tellImage(output, json, image, `is updated: ${Object.keys(fields).join(', ')}`);
    return undefined;
  },
});

export const deleteImages = defineCommand({
  name: 'delete',
  aliases: ['rm'],
  summary: 'delete images',
  description: [
    'What was active can be restored for as long as the server keeps it; see imgapiadm deleted. Deleting a placeholder cancels its copy. A NAME is refused when several images have it.',
  ],
  arguments: { IMAGE: IMAGES },
  options: {
    purge: { type: 'flag', help: 'For good: the bytes go at once.' },
    'force-all-channels': { type: 'flag', help: 'From all channels, not only from one.' },
  },
  examples: [{ command: `imgapiadm delete ${EXAMPLE}`, what: 'it can be restored for a week' }],
  async run({ options, arguments: { IMAGE: given }, context, output, json, signal }) {
    const { purge, 'force-all-channels': all } = options;
    const client = await context.client();
    // All are known before the first one goes.
    const uuids = await imageUuids(client, given, { account: await context.account(), signal, one: true });
    for (const uuid of uuids) {
      await client.deleteImage(uuid, { ...(purge && { purge }), ...(all && { force_all_channels: true }), signal });
      if (json) output.json({ uuid, deleted: true });
      else output.line(`Image ${uuid} is deleted.`);
    }
    return undefined;
  },
});

function switching(
  name: string,
  summary: string,
  done: string,
  method: 'activateImage' | 'enableImage' | 'disableImage',
): ServerCommand {
  return defineCommand({
    name,
    summary,
    arguments: { IMAGE: IMAGES },
    options: {},
    examples: [{ command: `imgapiadm ${name} ${EXAMPLE}`, what: 'this one' }],
    async run({ arguments: { IMAGE: given }, context, output, json, signal }) {
      const client: Pick<ImgapiClient, typeof method | 'listAll' | 'listImages'> = await context.client();
      for (const uuid of await imageUuids(client, given, { account: await context.account(), signal })) {
        const image: Image = await client[method](uuid, { signal });
        tellImage(output, json, image, done);
      }
      return undefined;
    },
  });
}
