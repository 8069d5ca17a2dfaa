/** What each listener has promised. */
import type { IncomingHttpHeaders } from 'node:http';
import { CLOUDAPI_ERRORS } from '#lib/api/cloudapi/errors.ts';
import { COMMON_ERRORS as ANY_OF_CLOUDAPI } from '#lib/api/cloudapi/form.ts';
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { ERRORS } from '#lib/api/errors/registry.ts';
import { COMMON_ERRORS } from '#lib/api/imgapi/form.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operations } from '#lib/api/operation.ts';
import { newestAccepted } from '#src/cloudapi/versions.ts';
import { apiVersion } from '#src/imgapi/versions.ts';

export interface Contract {
  readonly operations: Operations;
  readonly versionOf: (headers: IncomingHttpHeaders) => unknown;
  /** By code. */
  readonly errors: Readonly<Record<string, { readonly status: number } | undefined>>;
  /** Codes of errors that any path may return. */
  readonly anywhere: readonly string[];
  /** Whether the action may stand in the body instead of the query. */
  readonly hasActionsInBodies?: true;
}

const imgapi = {
  versionOf: apiVersion,
  errors: ERRORS,
  anywhere: [...COMMON_ERRORS, 'ResourceNotFound', 'MethodNotAllowedError', 'BadDigest'],
} as const;

export const MAIN: Contract = { ...imgapi, operations: IMGAPI };
export const LINK: Contract = { ...imgapi, operations: LINKS };
export const CLOUD: Contract = {
  operations: CLOUDAPI,
  versionOf: newestAccepted,
  errors: { ...ERRORS, ...CLOUDAPI_ERRORS },
  anywhere: [...ANY_OF_CLOUDAPI, 'ResourceNotFound', 'MethodNotAllowedError', 'MethodNotAllowed'],
  hasActionsInBodies: true,
};
