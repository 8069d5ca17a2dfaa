/** The HTTP side of pull links. */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { PULL_LINK, PULLS } from '#lib/api/imgapi/pulls.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { SignedUrlError } from '#lib/signing/errors.ts';
import { verifyUrl } from '#lib/signing/signed-url.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { LinkRecord } from '../../datacenters/links/documents.ts';
import { findLink } from '../../datacenters/links/links.ts';
import { endWithLink } from '../../datacenters/links/live-streams.ts';
import { heldWhileServed } from '../../http-kit/held-while-served.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { assertNotQuarantined } from '../../images/files/findings.ts';
import { readOnce } from '../../images/files/late-md5.ts';
import { loadImage, loadRaw } from '../../images/record/load.ts';
import { createPullUrl } from '../../pulls/create-pull-url.ts';
import { ENDED, PULL_LINKS, type PullRecord } from '../../pulls/documents.ts';
import { isPullsDay, parsePullName } from '../../pulls/pull-path.ts';
import { pullSecret } from '../../pulls/url-secret.ts';
import type { Service } from '../../service/service.ts';
import type { Gate } from '../admission.ts';
import type { Call, Reply } from '../call.ts';
import { claimantOf, linkClaimant } from '../claimant.ts';
import { fileReply } from '../file-reply.ts';

/** For the main port: operators ask for pull URLs, anyone who holds one reads it. */
export function pullHandlers(service: Service, gate: Gate): Handlers<typeof PULLS, Call> {
  return {
    CreateImageFilePullUrl: (call, query) => createForOperator(service, call, query),
    ...pullLinkHandlers(service, gate),
  };
}

/** For every listener that others can reach: the signature in the URL is the only credential. */
export function pullLinkHandlers(service: Service, gate: Pick<Gate, 'take'>): Handlers<typeof PULL_LINK, Call> {
  const claimant = claimantOf(service);
  return {
    async GetPullLink(call) {
      const pull = await findPull(service, call);
      // Who reads is known only by the record: the URL carries the name of nobody.
      const reader = pull.link ? linkClaimant(pull.record.datacenter) : claimant(call, true);
      const take = () => ({ leave: gate.take('downloads', reader), untilAnswered: true });
      return heldWhileServed(() => readPull(service, call, pull), take)(call);
    },
  };
}

type PullUrlQuery = QueryOf<typeof PULLS.CreateImageFilePullUrl>;

/** What the pull URL is for, on either listener. @throws 404, 422 InvalidParameter */
export function pullUrlTarget(
  { params }: Call,
  query: PullUrlQuery,
): { uuid: string; index: number; renew: string | undefined } {
  const { uuid: image = '' } = params;
  if (!isUuid(image)) throw imageNotFound(image);
  const { index = 0, renew } = query;
  return { uuid: image, index, renew };
}

async function createForOperator(service: Service, call: Call, query: PullUrlQuery): Promise<Reply> {
  if (call.account !== undefined) {
    throw new ApiError('OperatorOnly', 'pull URLs are for operators and linked datacenters');
  }
  const { host } = call.headers;
  const target = pullUrlTarget(call, query);
  // A datacenter compares what it gets with the hashes of the image; nobody else has to.
  for (;;) {
    const found = await loadImage(service, target.uuid);
    if (!found || !(await readOnce(service, found.value, target.index, call.signal))) break;
  }
  const json = await createPullUrl(service, {
    ...target,
    account: undefined,
    requestId: call.requestId,
    baseUrl: service.config.publicUrl ?? (host === undefined ? undefined : `http://${host}`),
  });
  return { json };
}

interface Pull {
  readonly record: PullRecord;
  /** Undefined for an operator's. */
  readonly link: LinkRecord | undefined;
}

/** @throws 401 UnauthorizedError, 404 ResourceNotFound, 503 for a file that is set aside */
async function findPull(service: Service, call: Call): Promise<Pull> {
  await assertSigned(service, call);
  const { day = '', name = '' } = call.params;
  const parsed = isPullsDay(day) ? parsePullName(name) : undefined;
  const record = parsed && (await service.store.get(PULL_LINKS, parsed.reqid))?.value;
  const isIt =
    record?.uuid === parsed?.uuid && record?.index === parsed?.index && record?.day !== ENDED && !record?.ended;
  const isOperators = record?.datacenter === '';
  const link = record && !isOperators ? (await findLink(service, record.datacenter))?.value : undefined;
  // A pull link that was made while its datacenter was being unlinked was not ended with the others.
  if (!record || !isIt || !(link || isOperators)) {
    throw new ApiError('ResourceNotFound', `pull link "${name}" does not exist or has ended; ask for a new one`);
  }
  return { record: await asRepaired(service, record, isOperators, call.signal), link };
}

/**
 * The link is a second name of the same bytes, or of those of before a repair: as long as the image has the file, that is
 * what is read. It may also be another copy of the image, made since the link. @throws 503 for a file that is set aside
 */
async function asRepaired(
  service: Service,
  record: PullRecord,
  isOperators: boolean,
  signal: AbortSignal,
): Promise<PullRecord> {
  const image = (await loadRaw(service, record.uuid))?.value;
  const file = image?.files?.[record.index];
  // The bytes of a tombstone are being removed.
  if (!image || file?.sha1 !== record.sha1 || (image.state === 'deleting' && !image.kept)) return record;
  if (isOperators && (await readOnce(service, image, record.index, signal))) {
    return asRepaired(service, record, isOperators, signal);
  }
  assertNotQuarantined(image, record.index);
  const path = imageObjectPath(record.uuid, `file${record.index}`);
  const isThere = file.stor === record.stor && (await service.storages.named(file.stor).info(path)) !== undefined;
  return isThere ? { ...record, path } : record;
}

async function readPull(service: Service, call: Call, { record, link }: Pull): Promise<Reply> {
  // After a renewal, the older URL reads through the newer link, because the bytes are the same.
  const reply = await fileReply(call, {
    ...record,
    storage: service.storages.named(record.stor),
    mtime: record.created_at,
    contentType: 'application/octet-stream',
  });
  if (reply.stream && link) endWithLink(service, link, reply.stream);
  return reply;
}

async function assertSigned(service: Service, call: Call): Promise<void> {
  try {
    verifyUrl({ method: call.method, url: call.url, secrets: [await pullSecret(service)], clock: service.store });
  } catch (cause) {
    if (!(cause instanceof SignedUrlError)) throw cause;
    throw new ApiError('UnauthorizedError', cause.message, { cause });
  }
}
