/** The query string, read flat: repeated keys become arrays; dots and brackets mean nothing. */
import { unescape as decodeLeniently, parse } from 'node:querystring';
import type { QueryParams } from './call.ts';
import { invalidParameter, RequestError } from './request-error.ts';

const MOST_KEYS = 1000;
const EMPTY: QueryParams = Object.freeze({});

/**
 * All of it, or nothing: a query of which a part was left out would mean something else. How long it can be is bounded
 * by the size of the request's head.
 * @throws 400 BadRequest when there are more than a thousand parameters; 422 InvalidParameter for one that decides
 * something and is written so that nobody would read it
 */
export function parseQuery(url: string): QueryParams {
  const mark = url.indexOf('?');
  if (mark === -1) return EMPTY;
  const query = parse(url.slice(mark + 1), '&', '=', { maxKeys: 0 });
  if (Object.keys(query).length > MOST_KEYS) throw new RequestError('BadRequest', 'too many query parameters');
  assertSpelling(query);
  if (SECOND_QUERY.test(url.slice(mark + 1))) throw misspelled('account', 'behind a second question mark');
  return query;
}

/** Names that mean something, by what they are without regard to case. */
const MEANINGFUL = new Map<string, string>();

/** Says of these names that they mean something on some route. */
export function declareParameters(names: readonly string[]): void {
  for (const name of names) MEANINGFUL.set(name.toLowerCase(), name);
}

/**
 * Parameters that nobody knows are ignored, as ever. But one that a client meant to decide who asks, or what is done,
 * must not count as absent because it came as `account[]` or `Account`: the answer would be another's.
 */
function assertSpelling(query: QueryParams): void {
  for (const [given, value] of Object.entries(query)) {
    if (given === 'account' && typeof value !== 'string') throw misspelled('account', 'more than once');
    const name = MEANINGFUL.get(given) === given ? undefined : MEANINGFUL.get(plainName(given));
    if (name !== undefined && name !== given) throw misspelled(name, `as ${JSON.stringify(given)}`);
    if (ACCOUNT_AT_END.test(given)) throw misspelled('account', `as ${JSON.stringify(given.slice(0, 100))}`);
    for (const text of [given, value].flat()) {
      if (text !== undefined && SEMICOLON_ACCOUNT.test(text)) throw misspelled('account', 'behind a semicolon');
    }
  }
}

/** Some take `;` for a separator; here it is a character like any other. */
const SEMICOLON_ACCOUNT = /;\s*account\s*(\[[^=]*)?=/i;

/** What is left of `&amp;account=`, or of a list that was joined by something else than `&`. */
const ACCOUNT_AT_END = /[;?&,/|]\s*account$/i;

/** As sent: an encoded question mark is part of a text. */
const SECOND_QUERY = /\?account(\[|%5b|=)/i;

/** Without what frameworks add for lists and objects, without quotes and the like, and without what cannot be seen. */
function plainName(given: string): string {
  const text = decodeLeniently(given)
    .replace(/[^\x21-\x7e]+/g, '')
    .replace(/^\W+/, '')
    .replace(/[[.(=:"'].*$/s, '')
    .toLowerCase();
  return /^(\w+)\W*$/.exec(text)?.[1] ?? text;
}

function misspelled(name: string, how: string): RequestError {
  return invalidParameter(name, `${name} is given ${how}; write it once, as "${name}"`);
}
