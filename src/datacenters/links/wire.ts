/** Checks the form of what another datacenter sends, because it is not trusted. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import type { ValueOf } from '#lib/api/schemas/build.ts';
import { LinkBack, LinkEcho, LinkPing, PairingReply } from '#lib/api/schemas/link.ts';
import { PullUrl } from '#lib/api/schemas/pull-url.ts';
import { SourceInvalidError } from '../peers/errors.ts';

const ajv = new Ajv({ allowUnionTypes: true });

export const isLinkPing = checkOf(LinkPing);
export const isLinkBack = checkOf(LinkBack);
export const isLinkEcho = checkOf(LinkEcho);
export const isPullUrl = checkOf(PullUrl);
export const isPairingReply = checkOf(PairingReply);

/** @throws SourceInvalidError */
export function expectShape<T>(value: unknown, isShape: ValidateFunction<T>, who: string): T {
  if (isShape(value)) return value;
  const [error] = isShape.errors ?? [];
  throw new SourceInvalidError(
    `the answer of ${who} does not have the expected form: ${error?.instancePath} ${error?.message}`,
  );
}

function checkOf<S extends TSchema>(schema: S): ValidateFunction<ValueOf<S>> {
  return ajv.compile<ValueOf<S>>(schema);
}
