/** The query string, read flat: repeated keys become arrays; dots and brackets mean nothing. */
import { parse } from 'node:querystring';
import { ApiError } from '../errors/api-error.ts';
import type { QueryParams } from './call.ts';

const MOST_KEYS = 1000;
const EMPTY: QueryParams = Object.freeze({});

/**
 * All of it, or nothing: a query of which a part was left out would mean something else. How long it can be is bounded
 * by the size of the request's head.
 * @throws 400 BadRequest when there are more than a thousand parameters
 */
export function parseQuery(url: string): QueryParams {
  const mark = url.indexOf('?');
  if (mark === -1) return EMPTY;
  const query = parse(url.slice(mark + 1), '&', '=', { maxKeys: 0 });
  if (Object.keys(query).length > MOST_KEYS) throw new ApiError('BadRequest', 'too many query parameters');
  return query;
}
