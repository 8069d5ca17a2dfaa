/**
 * An image as JSON. Which fields a caller sees depends on API version, mode and the caller's relation to the image. The
 * order of the keys is fixed, because ETags are computed from it. The 2.0.0 form never gains a field: newer fields
 * follow its last one, in version 3 only.
 */
import { hash } from 'node:crypto';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import type { ImageState } from '#lib/api/schemas/image.ts';
import { acceptedEntries, aclView, entriesReaching, isGranted, leftEntries } from '#lib/manifest/acl.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { ARRAY_END, arrayItem, arrayItems } from '#lib/text/json-array.ts';
import type { Mode } from '../../service/config/config.ts';
import { isOwner } from './access.ts';

export interface ImageView {
  readonly version: ImgapiVersion;
  readonly mode: Mode;
  /**
   * `full`: an operator, who sees the whole ACL. `public`: somebody with whom the image is not shared. An account sees
   * what it may see as owner, as sharee, or as the public.
   */
  readonly viewer: 'full' | 'public' | { readonly account: string };
  /** Shows in which object store each file is. */
  readonly inclAdminFields?: boolean;
  /** The viewer may see the image that this one is replaced by; its UUID is shown from version 3 on. */
  readonly showsReplacement?: boolean;
  /** Login of the owner, shown from version 3 on; left out while the directory cannot be asked. */
  readonly ownerLogin?: string | undefined;
}

export type ImageJson = Readonly<Record<string, unknown>>;

/** Tombstones are never shown; the fall-through below would show one as unactivated. */
export function shownState(record: ImageRecord, version: ImgapiVersion): ImageState {
  if (record.state === 'failed' || record.copy?.state === 'failed') return 'failed';
  if (record.activated) return record.disabled ? 'disabled' : 'active';
  if (record.state !== 'creating') return 'unactivated';
  return record.copy && version === 3 ? 'copying' : 'creating';
}

export function serializeImage(record: ImageRecord, view: ImageView): ImageJson {
  return withoutUndefined(fieldsOf(record, view));
}

/** The same with undefined values, which no JSON shows. */
function fieldsOf(record: ImageRecord, view: ImageView): ImageJson {
  const state = shownState(record, view.version);
  const isFull = seesAll(record, view);
  const json: Record<string, unknown> = {
    v: record.v,
    uuid: record.uuid,
    owner: record.owner,
    name: record.name,
    version: record.version,
    state,
    disabled: record.disabled ?? false,
    public: record.public ?? false,
    published_at: record.published_at,
    type: record.type === 'null' ? undefined : record.type,
    os: record.os === 'null' ? undefined : record.os,
    files: record.files?.map((file) => serializeFile(file, view)) ?? [],
    acl: ifAny(visibleAcl(record, view, isFull)),
    description: record.description || undefined,
    homepage: record.homepage || undefined,
    eula: record.eula || undefined,
    icon: record.icon ? true : undefined,
    urn: record.urn || undefined,
    requirements: record.requirements,
    users: record.users,
    generate_passwords: record.generate_passwords || undefined,
    inherited_directories: record.inherited_directories,
    origin: record.origin || undefined,
    nic_driver: record.nic_driver || undefined,
    disk_driver: record.disk_driver || undefined,
    cpu_type: record.cpu_type || undefined,
    image_size: record.image_size || undefined,
    tags: record.tagsObj,
    billing_tags: view.mode === 'public' ? undefined : ifAny(record.billing_tags),
    traits: view.mode === 'public' ? undefined : ifAny(record.traits),
    error: state === 'failed' ? record.error : undefined,
    channels: view.version === 1 ? undefined : ifAny(record.channels),
  };
  return view.version === 3 ? Object.assign(json, version3Fields(record, view, isFull)) : json;
}

/** The form in which images are imported by another IMGAPI: everything that version 2 shows. */
export function serializeFull(record: ImageRecord, mode: Mode): ImageJson {
  return serializeImage(record, { version: 2, mode, viewer: 'full' });
}

/** The form in which images are kept elsewhere: the same, and what is set of the newer fields. */
export function serializeToKeep(
  record: ImageRecord,
  { mode, showsReplacement }: { readonly mode: Mode; readonly showsReplacement: boolean },
): ImageJson {
  const { deprecated_at, replaced_by } = record;
  const newer = { deprecated_at, replaced_by: showsReplacement ? replaced_by : undefined };
  return withoutUndefined({ ...serializeFull(record, mode), ...newer });
}

/**
 * The tag of a serialized image: lower-case hex SHA-1 of its compact JSON. It leaves out the owner's login, which comes
 * and goes with the directory, and admin fields, so that a tag matches however the image was asked for.
 */
export function imageEtag(json: ImageJson): string {
  return hash('sha1', JSON.stringify(hasUntagged(json) ? tagged(json) : json));
}

/** Seldom: copying all of it takes as long as its hash. */
function hasUntagged({ owner_login: login, files }: ImageJson): boolean {
  return login !== undefined || (Array.isArray(files) && files.some(({ stor }) => stor !== undefined));
}

function tagged({ owner_login: _, ...json }: ImageJson): ImageJson {
  const { files } = json;
  return Array.isArray(files) ? { ...json, files: files.map(({ stor: _, ...file }) => file) } : json;
}

export interface RenderedImage {
  /** As it goes over the wire: JSON indented by two spaces. */
  readonly body: string;
  /** The same as it stands in a list. */
  readonly listItem: string;
  readonly etag: string;
}

/**
 * Records from the store are frozen and shared, so a rendering stays valid for as long as its record is in memory.
 * Writing JSON is most of the work of an answer, and the same few images are asked for again and again.
 */
const RENDERED = new WeakMap<ImageRecord, Map<string, RenderedImage>>();

/** An image that is shared with many accounts has as many views; this bounds how many are kept. */
const MOST_VIEWS = 64;

export function renderImage(record: ImageRecord, view: ImageView): RenderedImage {
  const key = viewKey(record, view);
  if (view.version !== 3 || view.ownerLogin === undefined) return kept(record, key, () => rendered(record, view));
  return kept(record, `${key} ${view.ownerLogin}`, () => {
    const plain = (): RenderedImage => renderImage(record, { ...view, ownerLogin: undefined });
    return new Rendered(fieldsLater(record, view), () => plain().etag);
  });
}

/** The body of a list: the rendered images as one array, also indented by two spaces. */
export function renderImageList(images: readonly RenderedImage[]): string {
  return images.length === 0 ? '[]' : `${renderListItems(images, true)}${ARRAY_END}`;
}

/** A non-empty part of that array. */
export function renderListItems(images: readonly RenderedImage[], isFirst: boolean): string {
  return arrayItems(
    images.map(({ listItem }) => listItem),
    isFirst,
  );
}

function kept(record: ImageRecord, key: string, make: () => RenderedImage): RenderedImage {
  if (!Object.isFrozen(record)) return make();
  let views = RENDERED.get(record);
  if (!views) {
    views = new Map();
    RENDERED.set(record, views);
  }
  const known = views.get(key);
  if (known) return known;
  const image = make();
  const [oldest] = views.keys();
  if (views.size >= MOST_VIEWS && oldest !== undefined) views.delete(oldest);
  views.set(key, image);
  return image;
}

/** Accounts that see the same share a view. */
function viewKey(record: ImageRecord, view: ImageView): string {
  const { version, mode, viewer, inclAdminFields } = view;
  const as = seesAll(record, view) ? 'full' : sharee(record, viewer);
  return `${version} ${mode} ${inclAdminFields ? 'admin' : ''} ${view.showsReplacement ? 'replaced' : ''} ${as ?? 'public'}`;
}

function rendered(record: ImageRecord, view: ImageView): RenderedImage {
  const fields = fieldsLater(record, view);
  // Who may change the image is told of another replacement by the tag, whether that can be seen just now or not.
  const isHidden = record.replaced_by !== undefined && !view.showsReplacement && seesAll(record, view);
  const tagged = isHidden ? fieldsLater(record, { ...view, showsReplacement: true }) : fields;
  return new Rendered(fields, () => imageEtag(tagged()));
}

/** The fields as the record has them now. Those of a frozen one are the same at any time, and take more memory than their text. */
function fieldsLater(record: ImageRecord, view: ImageView): () => ImageJson {
  if (Object.isFrozen(record)) return () => fieldsOf(record, view);
  const fields = fieldsOf(record, view);
  return () => fields;
}

/** Lists send no tag, and a single image is no item: each is made only when it is asked for. */
class Rendered implements RenderedImage {
  readonly #fields: () => ImageJson;
  readonly #makeTag: () => string;
  #body: string | undefined;
  #etag: string | undefined;
  #listItem: string | undefined;

  constructor(fields: () => ImageJson, makeTag: () => string) {
    this.#fields = fields;
    this.#makeTag = makeTag;
  }

  get body(): string {
    this.#body ??= JSON.stringify(this.#fields(), null, 2);
    return this.#body;
  }

  get etag(): string {
    this.#etag ??= this.#makeTag();
    return this.#etag;
  }

  get listItem(): string {
    this.#listItem ??= arrayItem(this.#fields());
    return this.#listItem;
  }
}

function seesAll(record: ImageRecord, { viewer }: ImageView): boolean {
  if (typeof viewer === 'string') return viewer === 'full';
  return isOwner(record, viewer.account);
}

/** Owner and operators see the whole list; a sharee sees only its own entry. */
function visibleAcl(record: ImageRecord, { viewer, version }: ImageView, isFull: boolean): readonly string[] {
  if (isFull) return aclView(record, version);
  return [sharee(record, viewer) ?? []].flat();
}

function shownSource({ copied_from: from }: ImageRecord) {
  return from && { datacenter: from.datacenter, at: from.at };
}

/** The viewing account, if the image is shared with it. */
function sharee(record: ImageRecord, viewer: ImageView['viewer']): string | undefined {
  return typeof viewer !== 'string' && isGranted(record, viewer.account) ? viewer.account : undefined;
}

function version3Fields(record: ImageRecord, view: ImageView, isFull: boolean): ImageJson {
  const account = isFull ? undefined : sharee(record, view.viewer);
  return {
    shared_as: account === undefined ? undefined : entriesReaching(record, account),
    left_by: isFull ? ifAny(leftEntries(record)) : undefined,
    accepted_by: isFull ? ifAny(acceptedEntries(record)) : undefined,
    copied_from: isFull ? shownSource(record) : undefined,
    cloned_from: isFull ? record.cloned_from : undefined,
    protected: (isFull && record.protected) || undefined,
    deprecated_at: record.deprecated_at,
    replaced_by: view.showsReplacement ? record.replaced_by : undefined,
    owner_login: view.ownerLogin,
  };
}

function serializeFile(file: FileRecord, { version, inclAdminFields }: ImageView): ImageJson {
  return withoutUndefined({
    sha1: file.sha1,
    size: file.size,
    compression: file.compression,
    dataset_guid: file.dataset_guid,
    sha256: version === 3 ? file.sha256 : undefined,
    stor: inclAdminFields ? file.stor : undefined,
  });
}

/** Undefined for empty arrays and objects. */
function ifAny<T extends object>(value: T | undefined): T | undefined {
  return value && Object.keys(value).length > 0 ? value : undefined;
}

/** A new object: one that properties are deleted from takes several times as much memory. */
function withoutUndefined(json: ImageJson): ImageJson {
  const defined: Record<string, unknown> = {};
  for (const key of Object.keys(json)) {
    if (json[key] !== undefined) defined[key] = json[key];
  }
  return defined;
}
