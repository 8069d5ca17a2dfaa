/** The body of a signed request: small, and checked against the digest that its signature covers. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { LINK_BODY_LIMIT } from '#lib/api/imgapi/links.ts';
import { verifyDigest } from '#lib/signing/digest.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import { parseBody } from '../http-kit/body.ts';
import type { Call } from './call.ts';

/** @throws 401 if the body is not the one that was signed, 413 if it is larger than 1 MiB */
export async function readSignedBody(call: Call): Promise<Buffer> {
  const body = await call.bytes(LINK_BODY_LIMIT);
  try {
    verifyDigest(call.headers['digest'] as string | undefined, body);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    throw new ApiError('UnauthorizedError', cause.message, { cause });
  }
  return body;
}

/** @throws as readSignedBody; 400 InvalidContent */
export async function readSignedJson(call: Call): Promise<Readonly<Record<string, unknown>>> {
  return parseObject(await readSignedBody(call));
}

/** For the one request with another proof than a signature. @param limit bytes @throws 413, 400 InvalidContent */
export async function readUnsignedJson(call: Call, limit: number): Promise<Readonly<Record<string, unknown>>> {
  return parseObject(await call.bytes(limit));
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  const value = body.length === 0 ? {} : parseBody(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ApiError('InvalidContent', 'the body must be a JSON object');
}
