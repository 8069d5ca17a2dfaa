/** Asks the server that this page comes from. All paths are relative to the page, so that a proxy may have it anywhere. */

/**
 * @typedef {{ uuid: string, name: string, version: string, state: string, os: string, type: string, owner: string,
 *   description?: string, homepage?: string, eula?: string, published_at?: string, deprecated_at?: string, replaced_by?: string, public: boolean, disabled?: boolean,
 *   origin?: string, icon?: boolean, owner_login?: string, acl?: string[], accepted_by?: string[], left_by?: string[], channels?: string[], tags?: Record<string, unknown>,
 *   requirements?: Record<string, unknown>, image_size?: number, error?: { code: string, message: string },
 *   files: { size: number, sha1: string, sha256?: string, compression: string, stor?: string }[],
 *   copied_from?: { datacenter: string, at: string }, cloned_from?: { uuid: string, owner: string } }} Image
 * @typedef {{ version: string, mode: 'dc' | 'private' | 'public', datacenter?: string, operator: boolean, write: boolean,
 *   user?: string, url?: string, channels?: { name: string, description?: string, default?: boolean }[] }} Settings
 */

class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * What was asked for before the view that shows it was there, by address.
 * @type {Map<string, { begun: Promise<Answer>, answer?: Answer }>}
 */
const early = new Map();

/**
 * @typedef {{ value: any, next: string | undefined }} Answer `next`: the query of the list's next page
 * @typedef {Record<string, string | undefined>} Query
 */

/** The one answer of the server that has no JSON. */
const NO_CONTENT = 204;

/** The channel of whoever names none. @param {Settings} settings @returns {string | undefined} */
export function standardChannel({ channels }) {
  return channels?.find((channel) => channel.default)?.name;
}

/** For what is to be found in whatever channel. @param {Settings} settings */
export function anywhere({ channels }) {
  return channels ? { channel: '*' } : {};
}

/**
 * Begins with what a view will ask for: the answer is for the first who does.
 * @param {string} path @param {Query} [query]
 * @returns {Promise<void>} fulfilled when there is an answer, whatever it is
 */
export async function askEarly(path, query = {}) {
  /** @type {{ begun: Promise<Answer>, answer?: Answer }} */
  const one = { begun: ask(path, { query }) };
  early.set(addressOf(path, query), one);
  try {
    one.answer = await one.begun;
  } catch {
    // Whoever asks for it is told.
  }
}

/** The answer to what was asked early, if it is here, for the first who wants it. @param {string} path @param {Query} [query] */
export function answered(path, query = {}) {
  const address = addressOf(path, query);
  const answer = early.get(address)?.answer;
  if (answer) early.delete(address);
  return answer;
}

/** @param {string} path @param {Query} query */
function addressOf(path, query) {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return `../${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`;
}

/**
 * @param {string} path without a slash in front: `images/UUID`
 * @param {{ method?: string, query?: Query, json?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<Answer>}
 */
export async function ask(path, { method = 'GET', query = {}, json, signal } = {}) {
  const address = addressOf(path, query);
  const begun = early.get(address)?.begun;
  early.delete(address);
  if (begun && method === 'GET') return begun;
  const { answer, text } = await fetched(address, {
    method,
    headers: {
      Accept: 'application/json',
      'Accept-Version': '~3',
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(signal && { signal }),
  });
  const value = parsed(text);
  if (!answer.ok || (value === undefined && answer.status !== NO_CONTENT)) throw refusal(answer, value);
  const next = /<\?([^>]*)>; rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1];
  return { value, next };
}

/** @param {string} address @param {RequestInit} options @throws in words, if nothing or less than all comes back */
export async function fetched(address, options) {
  try {
    const answer = await fetch(address, options);
    return { answer, text: await answer.text() };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error('The server cannot be reached.', { cause: error });
  }
}

/** A proxy in front of the server has no JSON, be it to say that something is ill or to ask who is there. @param {Response} answer @param {any} value */
export function refusal({ ok, status, statusText }, value) {
  const message = ok
    ? 'What answers is not the image server: something in front of it may want you to log in. Load the page again.'
    : `The answer is ${status} ${statusText}.`;
  return new ApiError(status, value?.code ?? '', value?.message ?? message);
}

/** Undefined for what is no JSON. @param {string} text @returns {any} */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
