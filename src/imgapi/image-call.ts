/** What every image route does first and last: find the image if the caller may see it, and answer with it. */

import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import { IMAGES } from '#lib/api/imgapi/images.ts';
import { IMAGES as IMAGE_RECORDS, type ImageRecord } from '#lib/manifest/record.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { isNotModified } from '../http-kit/conditional.ts';
import { queryReader } from '../http-kit/parameters.ts';
import { pathOf } from '../http-kit/request-head.ts';
import { assertMayChangeAs, OPERATOR, type Relation, relationTo, type Viewer } from '../images/record/access.ts';
import type { ChangeRequest } from '../images/record/change.ts';
import { visibleReplacements } from '../images/record/deprecation.ts';
import { isDeletable, isServed, loadImage, loadRaw, type StoredImage, servedImage } from '../images/record/load.ts';
import { assertVisible } from '../images/record/references.ts';
import { type ImageView, type RenderedImage, renderImage } from '../images/record/serialize.ts';
import type { Service } from '../service/service.ts';
import type { Call, Reply } from './call.ts';

/** The path's UUID. @throws 404 if it is not a UUID */
export function imageUuid(call: Call): string {
  const { uuid } = call.params;
  if (isUuid(uuid)) return uuid;
  throw new ApiError('ResourceNotFound', `${pathOf(call.url)} does not exist`);
}

/** Outside `dc` mode, where signatures are in use, a caller without one is anonymous. */
export function viewerOf(service: Service, call: Call): Viewer {
  const { mode, authType } = service.config;
  return {
    account: call.account,
    anonymous: mode !== 'dc' && authType === 'signature' && call.user === undefined,
  };
}

/** On reads `*` stands for all channels; on writes it is an unknown one. */
export type ChannelUse = 'read' | 'write';

/** The channel that the request is restricted to; undefined for `*`, or if the server has no channels. @throws 422 */
export function channelOf(service: Service, call: Call, use: ChannelUse): string | undefined {
  const { channels } = service.config;
  if (!channels) return undefined;
  const asked = call.query['channel'];
  if (asked === undefined || asked === '') {
    const standard = channels.find((channel) => channel.default)?.name;
    if (standard !== undefined) return standard;
    throw validationFailed('channel', 'name a channel: there is no default one', 'MissingParameter');
  }
  if (asked === '*' && use === 'read') return undefined;
  if (channels.some(({ name }) => name === asked)) return asked as string;
  const names = channels.map(({ name }) => name).join(', ');
  throw validationFailed('channel', `channel is ${JSON.stringify(asked)}; there are ${names}`);
}

/** The image as the caller sees it. @throws 404 */
export async function readableImage(service: Service, call: Call): Promise<StoredImage> {
  return (await imageFor(service, call, 'read')).stored;
}

/** The same, with the caller's relation to the image. @throws 404 */
export function readableImageAs(service: Service, call: Call): Promise<RelatedImage> {
  return imageFor(service, call, 'read');
}

/** The image, when the caller may change it. @throws 404, 422 NotImageOwner, 412 */
export async function writableImage(service: Service, call: Call): Promise<StoredImage> {
  const { stored, relation } = await imageFor(service, call, 'write');
  assertMayChangeAs(relation, stored.value, viewerOf(service, call));
  assertCondition(service, call, stored);
  return stored;
}

/** The same for DeleteImage; operators also get a record that is not a valid image. @throws 404, 422 NotImageOwner */
export async function deletableImage(service: Service, call: Call): Promise<StoredImage> {
  const uuid = imageUuid(call);
  channelOf(service, call, 'write');
  const stored = call.account === undefined ? await loadRaw(service, uuid) : undefined;
  const isBroken = stored && isDeletable(stored, viewerOf(service, call)) && !isServed(service, stored);
  return isBroken ? stored : writableImage(service, call);
}

/** The same checks, to be repeated on the record that is actually written. */
export function changeRequest(service: Service, call: Call): ChangeRequest {
  return {
    uuid: imageUuid(call),
    viewer: viewerOf(service, call),
    requestId: call.requestId,
    channel: channelOf(service, call, 'write'),
    condition: (stored) => assertCondition(service, call, stored),
  };
}

/** The caller's condition, such as If-Match. @throws 412 PreconditionFailed */
export function assertCondition(service: Service, call: Call, { value }: StoredImage): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = call.headers;
  if (match === undefined && noneMatch === undefined) return;
  const view = viewOf(service, call);
  // A sharee has read the image with its replacement, or without where that could not be seen.
  const replaced = value.replaced_by && renderImage(value, { ...view, showsReplacement: true }).etag;
  const etag = replaced && match?.includes(replaced) ? replaced : renderImage(value, view).etag;
  isNotModified(call, { etag });
}

/** The image, for a write that a sharee may do as well. @throws 404 */
export function visibleImageForWrite(service: Service, call: Call): Promise<RelatedImage> {
  return imageFor(service, call, 'write');
}

/** An image that the caller may see, and the caller's relation to it. */
export interface RelatedImage {
  readonly stored: StoredImage;
  readonly relation: Exclude<Relation, 'none'>;
}

/**
 * The image, if its record is in memory and tells alone that the caller may see it; undefined says nothing.
 * @throws what {@link readableImage} throws for the request itself
 */
export function keptImage(service: Service, call: Call): StoredImage | undefined {
  const uuid = imageUuid(call);
  const channel = channelOf(service, call, 'read');
  const viewer = viewerOf(service, call);
  const found = service.store.kept(IMAGE_RECORDS, uuid);
  const stored = found && servedImage(service, found);
  if (!stored || (channel !== undefined && !stored.value.channels?.includes(channel))) return undefined;
  return relationTo(stored.value, viewer) === 'none' ? undefined : stored;
}

async function imageFor(service: Service, call: Call, use: ChannelUse): Promise<RelatedImage> {
  const uuid = imageUuid(call);
  const channel = channelOf(service, call, use);
  const viewer = viewerOf(service, call);
  const stored = await loadImage(service, uuid);
  if (!stored) throw imageNotFound(uuid);
  return { stored, relation: await assertVisible(service, stored.value, { viewer, channel }) };
}

const shownQuery = queryReader<typeof IMAGES.GetImage>(IMAGES.GetImage);

/** How the caller sees images. @throws 401 for admin fields without a signature outside `dc` mode */
export function viewOf(service: Service, call: Call): Omit<ImageView, 'ownerLogin'> {
  const { inclAdminFields = false } = shownQuery(call.query);
  const { mode } = service.config;
  if (inclAdminFields && mode !== 'dc' && call.user === undefined) {
    throw new ApiError('UnauthorizedError', 'inclAdminFields=true needs a signed request');
  }
  const { account, anonymous } = viewerOf(service, call);
  const viewer = anonymous ? 'public' : account === undefined ? 'full' : { account };
  return { version: call.version, mode, viewer, inclAdminFields };
}

/** Images rendered for the caller, with their owners' logins in version 3. */
export async function render(
  service: Service,
  call: Call,
  images: readonly StoredImage[],
  view = viewOf(service, call),
): Promise<RenderedImage[]> {
  const viewFor = await viewsFor(service, images, view);
  return images.map(({ value }) => renderImage(value, viewFor(value)));
}

/** The view of each of the images: from version 3 on, an image shows what is to be read elsewhere. */
export async function viewsFor(
  service: Service,
  images: readonly StoredImage[],
  view: Omit<ImageView, 'ownerLogin'>,
): Promise<(record: ImageRecord) => ImageView> {
  if (view.version !== 3) return () => view;
  const [logins, replacements] = await Promise.all([
    ownerLogins(service, images),
    visibleReplacements(service, viewerIn(view), images),
  ]);
  return ({ owner = '', replaced_by: by = '' }) => ({
    ...view,
    ownerLogin: logins.get(owner),
    ...(replacements.has(by) && { showsReplacement: true }),
  });
}

function viewerIn({ viewer }: Pick<ImageView, 'viewer'>): Viewer {
  if (typeof viewer === 'object') return viewer;
  return viewer === 'full' ? OPERATOR : { account: undefined, anonymous: true };
}

/** The answer with one image, and its tag. */
export async function imageReply(service: Service, call: Call, stored: StoredImage): Promise<Reply> {
  const [image] = await render(service, call, [stored]);
  if (!image) throw imageNotFound(stored.key);
  return { text: image.body, headers: { Etag: image.etag } };
}

/** How long an answer waits for names, in milliseconds. */
const PATIENCE_FOR_NAMES = 300;

/** Those that are known in time: nothing fails or waits because of names. */
function ownerLogins(service: Service, images: readonly StoredImage[]): Promise<Map<string, string>> {
  return loginsOf(
    service,
    images.flatMap(({ value }) => value.owner ?? []),
  );
}

/** The same for accounts, by their UUIDs. */
export async function loginsOf(service: Service, accounts: readonly string[]): Promise<Map<string, string>> {
  const named = [...new Set(accounts)];
  if (!service.accounts || named.length === 0) return new Map();
  return service.accounts.loginsOf(named, PATIENCE_FOR_NAMES);
}
