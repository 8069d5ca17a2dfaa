/** An image as CloudAPI shows it, in messages and to what shows images. */
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { Image } from '#lib/api/schemas/image.ts';

/** For what shows images of IMGAPI. */
export function toImage(image: CloudapiImage): Image {
  const { id, ...fields } = image;
  return { v: 2, uuid: id, owner: '', state: 'active', disabled: false, public: false, files: [], ...fields };
}

/** `0965c1f4 my-image@1.0.0` */
export function imageLabel({ id, name, version }: CloudapiImage): string {
  return `${id.slice(0, 8)} ${name}@${version}`;
}
