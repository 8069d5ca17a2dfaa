/** An image of IMGAPI as CloudAPI shows it: other names for some fields, and by version fewer of them. */
import type { AnyCloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { Image } from '#lib/api/schemas/image.ts';
import { isAtLeast } from './versions.ts';

export interface ImageView {
  /** Of CloudAPI. */
  readonly version: string;
  /** UUID of the account that the image is shown to. */
  readonly account: string;
}

/** What image creation reports that its user can do something about; anything else is for support. */
const SHOWN_ERRORS = ['PrepareImageDidNotRun', 'VmHasNoOrigin', 'NotSupported'];

/** As CloudAPI names them, by where IMGAPI has them. */
const REQUIREMENTS = [
  ['max_memory', 'max_ram'],
  ['max_ram', 'max_ram'],
  ['min_memory', 'min_ram'],
  ['min_ram', 'min_ram'],
  ['brand', 'brand'],
  ['bootrom', 'bootrom'],
] as const;

/** A placeholder that was only just ordered has few of the fields. */
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

/** Since accounts make and share images of their own. */
function managementFields(image: TranslatableImage, view: ImageView): Partial<Loose<AnyCloudapiImage>> {
  const { owner, owner_login, acl, state, eula, origin, shared_as, left_by, copied_from, cloned_from } = image;
  return {
    owner,
    owner_login,
    public: image.public,
    state,
    eula,
    acl,
    // The owner's list as typed; whoever it is shared with sees only itself in `acl`.
    shared_with: owner === view.account ? acl : undefined,
    shared_as,
    left_by,
    origin,
    copied_from,
    cloned_from,
    error: errorOf(image),
  };
}

/** Types were machine types before version 8. */
function typeOf({ type }: TranslatableImage, { version }: ImageView): AnyCloudapiImage['type'] {
  if (type === undefined || isAtLeast(version, '8.0.0')) return type;
  return type === 'zvol' ? 'virtualmachine' : 'smartmachine';
}

/** The IMGAPI type for a `type` filter of versions before 8; undefined for what is none. */
export function typeFilter(type: string, version: string): string | undefined {
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
  // Why a copy failed is written for the account that ordered it.
  if (copied_from !== undefined || SHOWN_ERRORS.includes(code))
    return { code, ...(message !== undefined && { message }) };
  return { code: 'InternalError', message: 'an unexpected error occurred (Contact support for assistance.)' };
}

type Loose<T> = { readonly [Key in keyof T]: T[Key] | undefined };

function withoutUndefined<T extends object>(fields: Loose<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
