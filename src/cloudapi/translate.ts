/** Shows an image of IMGAPI as CloudAPI does: some fields have other names, and older versions have fewer. */
import type { CloudapiVersion } from '#lib/api/cloudapi/form.ts';
import type { AnyCloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import { isAtLeast } from './versions.ts';

export interface ImageView {
  /** The version of CloudAPI. */
  readonly version: CloudapiVersion;
  /** UUID of the account that the image is shown to. */
  readonly account: string;
}

/** Errors of image creation that users can do something about; others are for support. */
const SHOWN_ERRORS = ['PrepareImageDidNotRun', 'VmHasNoOrigin', 'NotSupported'];

/** CloudAPI's name of each requirement, and the field of IMGAPI that holds it. */
const REQUIREMENTS = [
  ['max_memory', 'max_ram'],
  ['max_ram', 'max_ram'],
  ['min_memory', 'min_ram'],
  ['min_ram', 'min_ram'],
  ['brand', 'brand'],
  ['bootrom', 'bootrom'],
] as const;

/** A placeholder that was only just created has few of the fields. */
export type TranslatableImage = Partial<Image> & Pick<Image, 'uuid' | 'name' | 'version'>;

export function translateImage(image: TranslatableImage, view: ImageView): AnyCloudapiImage {
  const { description, tags, homepage, published_at } = image;
  return withoutUndefined<AnyCloudapiImage>({
    id: image.uuid,
    name: image.name,
    version: image.version,
    os: image.os,
    requirements: requirementsOf(image),
    type: typeOf(image, view),
    description: description || undefined,
    files: filesOf(image),
    image_size: image.image_size,
    tags,
    homepage,
    published_at,
    ...(isAtLeast(view.version, '7.1.0') && managementFields(image, view)),
  });
}

/** Fields of the versions in which accounts make and share images of their own. */
function managementFields(image: TranslatableImage, view: ImageView): Partial<Loose<AnyCloudapiImage>> {
  const { owner, owner_login, acl, state, eula, origin, shared_as, left_by, accepted_by, copied_from, cloned_from } =
    image;
  const { deprecated_at, replaced_by } = image;
  return {
    owner,
    owner_login,
    public: image.public,
    state,
    eula,
    acl,
    // The list as the owner typed it. An account that the image is shared with sees only itself in `acl`.
    shared_with: owner === view.account ? acl : undefined,
    shared_as,
    left_by,
    accepted_by,
    origin,
    copied_from,
    cloned_from,
    deprecated_at,
    replaced_by,
    error: errorOf(image),
  };
}

/** Before version 8, types were those of machines. */
function typeOf({ type }: TranslatableImage, { version }: ImageView): AnyCloudapiImage['type'] {
  if (type === undefined || isAtLeast(version, '8.0.0')) return type;
  return type === 'zvol' ? 'virtualmachine' : 'smartmachine';
}

/** The IMGAPI type for a `type` filter; undefined for one that versions before 8 do not have. */
export function typeFilter(type: string, version: CloudapiVersion): string | undefined {
  if (isAtLeast(version, '8.0.0')) return type;
  return { smartmachine: 'zone-dataset', virtualmachine: 'zvol' }[type];
}

function requirementsOf({ requirements = {} }: TranslatableImage): AnyCloudapiImage['requirements'] {
  return Object.fromEntries(
    REQUIREMENTS.flatMap(([to, from]) => (requirements[from] ? [[to, requirements[from]]] : [])),
  );
}

function filesOf({ files: [file] = [] }: TranslatableImage): AnyCloudapiImage['files'] {
  return file && [{ compression: file.compression, sha1: file.sha1, size: file.size }];
}

function errorOf({ error, copied_from }: TranslatableImage): AnyCloudapiImage['error'] {
  if (error === undefined) return undefined;
  const { code = '', message } = error;
  // Errors of copies are written for the account that ordered the copy.
  const isShown = copied_from !== undefined || SHOWN_ERRORS.includes(code);
  if (isShown) return { code, ...(message !== undefined && { message }) };
  return { code: 'InternalError', message: 'an unexpected error occurred (Contact support for assistance.)' };
}

type Loose<T> = { readonly [Key in keyof T]: T[Key] | undefined };

function withoutUndefined<T extends object>(fields: Loose<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
