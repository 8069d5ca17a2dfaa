/** An image as CloudAPI shows it. */
import type { Image } from '#lib/api/schemas/image.ts';

/** A placeholder that was only just ordered has few of the fields. */
export interface CloudapiImage extends Partial<Omit<Image, 'uuid' | 'name' | 'version'>> {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** To its owner: with whom, as typed. */
  readonly shared_with?: readonly string[];
}

/** For what shows images of IMGAPI. */
export function toImage(image: CloudapiImage): Image {
  const { id, ...fields } = image;
  return { v: 2, uuid: id, owner: '', state: 'active', disabled: false, public: false, files: [], ...fields };
}

/** `0965c1f4 my-image@1.0.0` */
export function imageLabel({ id, name, version }: CloudapiImage): string {
  return `${id.slice(0, 8)} ${name}@${version}`;
}
