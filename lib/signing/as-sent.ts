/** What a client signed where a proxy in front of the server takes a part of the path away, or changes the host. */
import type { RequestTarget } from './signature-header.ts';

/**
 * The request as it was sent to the public URL; undefined where that has nothing that could have been changed.
 * @param publicUrl by which clients reach the server
 */
export function asSentTo(publicUrl: string | undefined, request: RequestTarget): RequestTarget | undefined {
  if (publicUrl === undefined) return undefined;
  const { host } = new URL(publicUrl);
  const path = basePathOf(publicUrl) + request.path;
  if (path === request.path && host === request.headers['host']) return undefined;
  return { method: request.method, path, headers: { ...request.headers, host } };
}

/** The path that goes before every request's; empty when there is none. */
export function basePathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}
