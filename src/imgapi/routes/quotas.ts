/** GetQuota, ListQuotas, SetQuota, UnsetQuota. */
import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { QUOTAS } from '#lib/api/imgapi/quotas.ts';
import type { Quota } from '#lib/api/schemas/quota.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Handlers } from '../../http-kit/operations.ts';
import { pathOf } from '../../http-kit/request-head.ts';
import {
  type AccountQuota,
  type OwnLimits,
  ownQuotas,
  quotaOf,
  setLimits,
  unsetLimits,
} from '../../images/quotas/own-limits.ts';
import type { Service } from '../../service/service.ts';
import type { Call } from '../call.ts';

export function quotaHandlers(service: Service): Handlers<typeof QUOTAS, Call> {
  return {
    async GetQuota(call) {
      const account = accountOf(call);
      // What others have is not there for an account.
      if (call.account !== undefined && call.account !== account) throw notFound(call);
      return { json: shownQuota(await quotaOf(service, account)) };
    },

    async ListQuotas(call) {
      assertOperator(call);
      const quotas: Quota[] = [];
      for await (const quota of ownQuotas(service)) quotas.push(shownQuota(quota));
      return { json: quotas };
    },

    async SetQuota(call) {
      assertOperator(call);
      const account = accountOf(call);
      const limits = readLimits(await call.json());
      const quota = await setLimits(service, account, limits);
      call.log.info({ audit: 'quota', owner: account, limits, req_id: call.requestId }, 'quota set');
      return { json: shownQuota(quota) };
    },

    async UnsetQuota(call) {
      assertOperator(call);
      const account = accountOf(call);
      const quota = await unsetLimits(service, account);
      call.log.info({ audit: 'quota', owner: account, req_id: call.requestId }, 'quota unset');
      return { json: shownQuota(quota) };
    },
  };
}

function accountOf(call: Call): string {
  const { uuid } = call.params;
  if (isUuid(uuid)) return uuid;
  throw notFound(call);
}

function notFound(call: Call): ApiError {
  return new ApiError('ResourceNotFound', `${pathOf(call.url)} does not exist`);
}

function assertOperator({ account }: Call): void {
  if (account !== undefined) throw new ApiError('OperatorOnly', 'quotas are set by operators');
}

/** @throws 422 ValidationFailed */
function readLimits(body: unknown): OwnLimits {
  const wanted = '"images" and "bytes", each a whole number, or null for no limit';
  if (!isObject(body)) throw validationFailed('body', `the body must be a JSON object with ${wanted}`);
  const unknown = Object.keys(body).find((field) => field !== 'images' && field !== 'bytes');
  if (unknown !== undefined) throw validationFailed(unknown, `${shown(unknown)} is no limit; there are ${wanted}`);
  const { images, bytes } = body;
  if (images === undefined && bytes === undefined) {
    throw validationFailed('body', `the body names no limit; there are ${wanted}`, 'MissingParameter');
  }
  return {
    ...(images !== undefined && { images: readLimit('images', images) }),
    ...(bytes !== undefined && { bytes: readLimit('bytes', bytes) }),
  };
}

function readLimit(field: 'images' | 'bytes', value: unknown): number | null {
  if (value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw validationFailed(
    field,
    `${field} is ${shown(value)}; it must be a whole number, 0 or more, or null for no limit`,
  );
}

function shownQuota({ limits: { images, bytes }, ...quota }: AccountQuota): Quota {
  return { ...quota, limits: { images: images ?? null, bytes: bytes ?? null } };
}
