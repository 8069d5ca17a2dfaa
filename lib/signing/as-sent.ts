/** What a client signed, when a proxy in front of the server strips part of the path or changes the host. */
import { withoutEnd } from '../text/without-end.ts';
import type { RequestTarget } from './signature-header.ts';

/**
 * The request as it was sent to the public URL; undefined if that makes no difference.
 * @param publicUrl by which clients reach the server
 */
export function asSentTo(publicUrl: string | undefined, request: RequestTarget): RequestTarget | undefined {
  if (publicUrl === undefined) return undefined;
  const { host } = new URL(publicUrl);
  const path = basePathOf(publicUrl) + request.path;
  if (path === request.path && host === request.headers['host']) return undefined;
  return { method: request.method, path, headers: { ...request.headers, host } };
}

/** The path prefix of every request; empty if there is none. */
export function basePathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : withoutEnd(new URL(publicUrl).pathname, '/');
}
