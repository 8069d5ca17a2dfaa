/**
 * Makes text fit to be shown in answers, logs, orders and on terminals. Hides the user and password in URLs, and the
 * values of parameters that give access to something, however their names are written.
 */
import { unescape as decodeLeniently } from 'node:querystring';
import { withoutEnd } from './without-end.ts';

const HIDDEN = '(hidden)';

/** Parameters of signed URLs, ours and those of object stores, and what people put into URLs although they should not. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'signature',
  'sig',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'awsaccesskeyid',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'auth',
  'authorization',
  'password',
  'passwd',
  'pass',
  'secret',
  'client_secret',
  'api_key',
  'apikey',
]);

/** Names are decoded as often as proxies and clients may have encoded them. */
const MOST_DECODINGS = 3;
const MOST_NESTED = 3;

/** Where a URL begins, and what ends the part before its host: a password may contain anything else. */
const STRICT = { begin: /\b[a-z][a-z0-9+.-]{0,20}:\/\//gi, end: /[/\\?#"\n]/g };
/** Browsers and Node's `URL` accept these schemes without slashes, or with backslashes. */
const LOOSE = { begin: /\b(?:https?|wss?|ftp):[/\\]*/gi, end: /[/\\?#"\s]/g };
const LONGEST_CREDENTIALS = 512;
const URLS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)([^\s"<>]{1,4096})/gi;
const PARAMETERS = /([?&;])([^=&;?#\s"<>]{1,200})=([^&;#\s"<>]*)/g;

export function redact(text: string): string {
  return redactNested(text, 0);
}

function redactNested(text: string, depth: number): string {
  let shown = text;
  if (shown.includes('@')) {
    shown = withoutCredentials(withoutCredentials(shown, STRICT), LOOSE);
    shown = shown.replace(URLS, (url, scheme: string, rest: string) => redactUnreadable(url, scheme, rest));
  }
  if (!shown.includes('=')) return shown;
  return shown.replace(PARAMETERS, (_, mark: string, name: string, value: string) => {
    if (SECRET_NAMES.has(plainName(name))) return `${mark}${name}=${HIDDEN}`;
    return `${mark}${name}=${redactValue(value, depth)}`;
  });
}

/** By hand: a pattern looks at the same characters again from each place where a URL may begin. */
function withoutCredentials(text: string, { begin, end }: typeof STRICT): string {
  let shown = '';
  let done = 0;
  let stop = -1;
  for (const { 0: scheme, index } of text.matchAll(begin)) {
    const from = index + scheme.length;
    if (index < done) continue;
    if (stop < from) {
      end.lastIndex = from;
      stop = end.exec(text)?.index ?? text.length;
    }
    const length = text.slice(from, Math.min(stop, from + LONGEST_CREDENTIALS + 1)).lastIndexOf('@');
    if (length < 1) continue;
    shown += `${text.slice(done, from)}${HIDDEN}`;
    done = from + length;
  }
  return `${shown}${text.slice(done)}`;
}

/** A password with a slash in it makes the URL invalid, but it must still be hidden. */
function redactUnreadable(url: string, scheme: string, rest: string): string {
  const at = rest.lastIndexOf('@');
  if (at < 0 || URL.canParse(withoutEnd(url, ":.,;)]'`"))) return url;
  return `${scheme}${HIDDEN}@${rest.slice(at + 1)}`;
}

function plainName(name: string): string {
  return decoded(name)
    .replace(/[[(].*$/s, '')
    .replace(/[^\x21-\x7e]+/g, '')
    .toLowerCase();
}

/** A parameter may contain a URL, which may contain parameters. */
function redactValue(value: string, depth: number): string {
  if (depth >= MOST_NESTED || !value.includes('%')) return value;
  const plain = decoded(value);
  const shown = redactNested(plain, depth + 1);
  return shown === plain ? value : encodeURIComponent(shown);
}

function decoded(text: string): string {
  let plain = text.replaceAll('+', ' ');
  for (let turn = 0; turn < MOST_DECODINGS && plain.includes('%'); turn += 1) plain = decodeLeniently(plain);
  return plain;
}
