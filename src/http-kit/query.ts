/** Reads the query string, flat: repeated keys become arrays; dots and brackets have no meaning. */
import { unescape as decodeLeniently, parse } from 'node:querystring';
import type { QueryParams } from './call.ts';
import { invalidParameter, RequestError } from './request-error.ts';

const MOST_KEYS = 1000;
const EMPTY: QueryParams = Object.freeze({});

/**
 * Reads all of it or nothing: with a part left out, a query would mean something else. The limit on the request's head
 * bounds its length.
 * @throws 400 BadRequest for more than a thousand parameters; 422 InvalidParameter for a known parameter that is
 * written in a way in which it would be ignored
 */
export function parseQuery(url: string): QueryParams {
  const mark = url.indexOf('?');
  if (mark === -1) return EMPTY;
  const query = parse(url.slice(mark + 1), '&', '=', { maxKeys: 0 });
  if (Object.keys(query).length > MOST_KEYS) throw new RequestError('BadRequest', 'too many query parameters');
  assertSpelling(query);
  if (SECOND_QUERY.test(url.slice(mark + 1))) throw misspelled('account', 'after a second question mark');
  return query;
}

/** Names that have a meaning, by their lower-case form. */
const MEANINGFUL = new Map<string, string>();

/** Patterns of such names, `tag.KEY`: then `tag[]` or `tag.x` is no misspelt `tag`, although that is a name as well. */
const PATTERNS = new Map<string, RegExp>();

/** Declares names, and patterns of names, that have a meaning on some route. */
export function declareParameters(names: readonly string[], patterns: readonly string[] = []): void {
  for (const name of names) MEANINGFUL.set(name.toLowerCase(), name);
  for (const pattern of patterns) PATTERNS.set(pattern, new RegExp(pattern));
}

/** The name that was probably meant, which may be the one that was given. */
function nameMeant(given: string): string | undefined {
  if (MEANINGFUL.get(given) === given) return given;
  const meant = MEANINGFUL.get(plainName(given));
  const isStem = [...PATTERNS.values()].some((pattern) => pattern.test(`${meant}.`));
  return isStem ? given : meant;
}

/**
 * Unknown parameters are ignored, as they always were. But one that decides who asks, or what is done, must not count
 * as absent because the client wrote `account[]` or `Account`: it would get somebody else's answer.
 */
function assertSpelling(query: QueryParams): void {
  for (const [given, value] of Object.entries(query)) {
    if (given === 'account' && typeof value !== 'string') throw misspelled('account', 'more than once');
    const name = nameMeant(given);
    if (name !== undefined && name !== given) throw misspelled(name, `as ${JSON.stringify(given)}`);
    if (ACCOUNT_AT_END.test(given)) throw misspelled('account', `as ${JSON.stringify(given.slice(0, 100))}`);
    for (const text of [given, value].flat()) {
      if (text !== undefined && SEMICOLON_ACCOUNT.test(text)) throw misspelled('account', 'after a semicolon');
    }
  }
}

/** Some clients separate parameters by `;`, which is an ordinary character here. */
const SEMICOLON_ACCOUNT = /;\s*account\s*(\[[^=;]*)?=/i;

/** The remains of `&amp;account=`, or of a list that was joined by something other than `&`. */
const ACCOUNT_AT_END = /[;?&,/|]\s*account$/i;

/** In the query as it was sent: an encoded question mark is part of a value. */
const SECOND_QUERY = /\?account(\[|%5b|=)/i;

/** Without what frameworks add for lists and objects, without quotes and the like, and without invisible characters. */
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
