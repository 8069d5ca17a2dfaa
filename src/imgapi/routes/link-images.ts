/** What a linked datacenter may read: images of the account that it names, if the link allows that account. */

import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import type { LINKS } from '#lib/api/imgapi/links.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import type { LinkImage } from '#lib/api/schemas/link.ts';
import { entriesOf, leftEntries } from '#lib/manifest/acl.ts';
import { MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord, Share } from '#lib/manifest/record.ts';
import { TRAVEL } from '#lib/manifest/travel.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { getLink } from '../../datacenters/links/links.ts';
import { pathOf } from '../../http-kit/request-head.ts';
import { assertNotQuarantined } from '../../images/files/findings.ts';
import { followingMoves } from '../../images/files/following-moves.ts';
import { openingIcon } from '../../images/files/icon-as-recorded.ts';
import { pieceHashes } from '../../images/files/piece-lists.ts';
import { storedObject } from '../../images/files/stored-object.ts';
import { showsReplacementTo } from '../../images/record/deprecation.ts';
import { loadImage, loadOwnImage } from '../../images/record/load.ts';
import { serializeImage } from '../../images/record/serialize.ts';
import { createPullUrl } from '../../pulls/create-pull-url.ts';
import type { PullNotes } from '../../pulls/pull-events.ts';
import { fileAt, wasPulledBy } from '../../pulls/pull-link.ts';
import type { Service } from '../../service/service.ts';
import type { Call, Reply } from '../call.ts';
import { fileReply } from '../file-reply.ts';
import { pullUrlTarget } from './pulls.ts';

const TOLD: ReadonlySet<string> = new Set(MANIFEST_FIELDS.filter((field) => TRAVEL[field].copy !== 'stays'));

export async function getLinkImage(service: Service, call: Call): Promise<Reply> {
  const record = await ownedImage(service, call);
  const { mode } = service.config;
  // The other datacenter may read no more than the account.
  const showsReplacement = await showsReplacementTo(service, record, call.account);
  const shown = serializeImage(record, { version: 3, mode, viewer: 'full', showsReplacement });
  const manifest: Record<string, unknown> = Object.fromEntries(
    Object.entries(shown).filter(([field]) => TOLD.has(field)),
  );
  if (record.acl?.length) manifest['acl'] = record.acl;
  else delete manifest['acl'];
  const left = leftShares(record);
  const json: LinkImage = {
    manifest,
    ...(record.shares && { shares: openShares(record) }),
    ...(left.length > 0 && { left }),
  };
  return { json };
}

export async function getLinkIcon(service: Service, call: Call): Promise<Reply> {
  const open = async (record: ImageRecord): Promise<Reply> => {
    const { icon, uuid } = record;
    if (!icon) throw new ApiError('ResourceNotFound', `image "${uuid}" has no icon`);
    assertNotQuarantined(record, 'icon');
    const storage = service.storages.named(icon.stor);
    return fileReply(call, { ...icon, md5: icon.contentMD5, storage, path: imageObjectPath(uuid, 'icon') });
  };
  const found = await ownedImage(service, call);
  return openingIcon(service, found, (record) => followingMoves(service, record, open));
}

export async function getLinkFile(
  service: Service,
  notes: PullNotes,
  call: Call,
  query: QueryOf<typeof LINKS.LinkGetImageFile>,
): Promise<Reply> {
  const { index = 0 } = query;
  return followingMoves(service, await ownedImage(service, call), async (record) => {
    const file = fileAt(record, index);
    assertNotQuarantined(record, index);
    const storage = service.storages.named(file.stor);
    const reply = await fileReply(call, {
      ...file,
      // If it is still to come, nobody waits for it: another datacenter goes by the hashes of the record.
      md5: file.contentMD5,
      storage,
      path: imageObjectPath(record.uuid, `file${index}`),
      contentType: 'application/octet-stream',
    });
    if (reply.stream && isBegun(call)) {
      const { requestId } = call;
      await notes.note({ uuid: record.uuid, account: call.account, datacenter: signerOf(call), requestId }, file);
    }
    return reply;
  });
}

export async function getLinkPieces(
  service: Service,
  call: Call,
  query: QueryOf<typeof LINKS.LinkGetImageFilePieces>,
): Promise<Reply> {
  const { index = 0, page = 0 } = query;
  return followingMoves(service, await ownedImage(service, call), async (record) => {
    const { uuid } = record;
    const file = fileAt(record, index);
    assertNotQuarantined(record, index);
    const storage = service.storages.named(file.stor);
    const path = imageObjectPath(uuid, `file${index}`);
    await storedObject(call.log, { storage, path, size: file.size, what: pathOf(call.url) });
    const asked = { image: uuid, index, file, storage, path, page, signal: call.signal };
    return { json: await pieceHashes(service, asked) };
  });
}

/** Whether a file is read from its first byte: who goes on where it was cut off has been told of already. */
function isBegun({ method, headers: { range } }: Call): boolean {
  return method === 'GET' && (range === undefined || /^bytes=0*0-/.test(range));
}

/** Renewing works even after the image was deleted: the pull link remembers who may do it. */
export async function createLinkPullUrl(
  service: Service,
  call: Call,
  query: QueryOf<typeof LINKS.LinkCreatePullUrl>,
): Promise<Reply> {
  const datacenter = signerOf(call);
  const account = await allowedAccount(service, call, datacenter);
  const { requestId } = call;
  const { value: link } = await getLink(service, datacenter);
  const request = { ...pullUrlTarget(call, query), account, datacenter, requestId, baseUrl: link.our_url };
  const json = await createPullUrl(service, request);
  return { json };
}

/** The linked datacenter that signed the request. @throws 401 UnauthorizedError */
export function signerOf({ datacenter }: Call): string {
  if (datacenter !== undefined) return datacenter;
  throw new ApiError('UnauthorizedError', 'the request is not signed by a linked datacenter');
}

/**
 * The image in any state, which a copy has to see. An account that pulled it as its owner is told that it was given
 * away. For all others, an image of another account does not exist, and the answer takes as long as for a missing one.
 * @throws 404 ResourceNotFound, 422 NotImageOwner, and as `allowedAccount`
 */
async function ownedImage(service: Service, call: Call): Promise<ImageRecord> {
  const datacenter = signerOf(call);
  const account = await allowedAccount(service, call, datacenter);
  const { uuid = '' } = call.params;
  if (!isUuid(uuid)) throw imageNotFound(uuid);
  const record = (await loadOwnImage(service, uuid, account))?.value;
  if (record) return record;
  if ((await wasPulledBy(service, { uuid, account, datacenter })) && (await loadImage(service, uuid))) {
    throw new ApiError('NotImageOwner', `image "${uuid}" now belongs to another account`);
  }
  throw imageNotFound(uuid);
}

/** @throws 422 if no account is named, 403 Forbidden if the link does not allow it */
export async function allowedAccount(service: Service, { account }: Call, datacenter: string): Promise<string> {
  if (account === undefined) {
    throw validationFailed(
      'account',
      'a linked datacenter must name the account on whose behalf it asks',
      'MissingParameter',
    );
  }
  const { value: link } = await getLink(service, datacenter);
  if (link.allowed_accounts === undefined || link.allowed_accounts.includes(account)) return account;
  throw new ApiError('Forbidden', `datacenter "${datacenter}" may not read images of account "${account}"`);
}

function leftShares(record: ImageRecord): Share[] {
  const entries = entriesOf(record);
  return leftEntries(record).map((entry) => {
    const account = entries.find((share) => share.entry === entry)?.account;
    return { entry, ...(account !== undefined && { account }) };
  });
}

/** An account that left must not get access again elsewhere, so its entry is sent without the account. */
function openShares(record: ImageRecord): Share[] {
  return entriesOf(record).map((share) => {
    if (share.account === undefined || !record.left?.includes(share.account)) return share;
    const { account: _, ...unpinned } = share;
    return unpinned;
  });
}
