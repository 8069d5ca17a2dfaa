/** Every request has an id: the client's own if that is a plain one, a new UUID otherwise. */
import type { IncomingHttpHeaders } from 'node:http';
import { newUuid } from '#lib/text/uuid.ts';

const PLAIN = /^[A-Za-z0-9._-]{1,128}$/;

export function requestId(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'] ?? headers['request-id'];
  return typeof given === 'string' && PLAIN.test(given) ? given : newUuid();
}
