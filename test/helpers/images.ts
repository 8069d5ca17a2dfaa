/** Makes images of the test cloud over HTTP, as a client does. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ImgapiClient } from '#lib/client/client.ts';

export const MANIFEST = { name: 'my-image', version: '1.0.0', type: 'zone-dataset', os: 'smartos' } as const;

export interface MadeImage {
  readonly image: Image;
  readonly bytes: Buffer;
}

export interface MakeOptions {
  readonly owner?: string;
  readonly size?: number;
  readonly activate?: boolean;
  readonly bytes?: Buffer;
}

/** Creates, uploads and (by default) activates. The bytes are random, so that no two images are the same. */
export async function makeImage(
  client: ImgapiClient,
  fields: object = {},
  options: MakeOptions = {},
): Promise<MadeImage> {
  const bytes = options.bytes ?? randomBytes(options.size ?? 100_000);
  const manifest = { ...MANIFEST, ...(options.owner === undefined ? {} : { owner: options.owner }), ...fields };
  const { uuid } = await client.createImage(manifest);
  const uploaded = await client.addImageFile(uuid, Readable.from([bytes]), {
    compression: 'none',
    sha1: sha1Of(bytes),
    size: bytes.length,
  });
  const image = options.activate === false ? uploaded : await client.activateImage(uuid);
  return { image, bytes };
}

export function sha1Of(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
