/**
 * Makes what went wrong between servers fit for accounts: it says what, and not where. Where the servers of a datacenter are
 * is for its operators, who find it in the log.
 */
import { isIP } from 'node:net';

const HIDDEN = '(hidden)';

/** Not the punctuation after them. */
const URLS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"<>]{0,4096}[^\s"<>:;,.)]/gi;
/** `connect ECONNREFUSED 10.0.0.1:80`, `getaddrinfo ENOTFOUND name`: how Node names what a call was about. */
const SUBJECTS = /\b(E(?:AI_)?[A-Z]{4,20}) \S+/g;
/** What TLS says of another name in a certificate. */
const CERTIFICATES = /\baltnames: .*/gs;
const MAYBE_ADDRESSES = /[0-9a-f:.]{3,60}/gi;

export function withoutPlaces(text: string): string {
  return text
    .replace(URLS, HIDDEN)
    .replace(SUBJECTS, `$1 ${HIDDEN}`)
    .replace(CERTIFICATES, `altnames: ${HIDDEN}`)
    .replace(MAYBE_ADDRESSES, (found) => (isAddress(found) ? HIDDEN : found));
}

/** Also with a port, and at the end of a sentence. */
function isAddress(found: string): boolean {
  const address = found.replace(/[.:]$/, '');
  return isIP(address) !== 0 || isIP(address.replace(/:\d{1,5}$/, '')) === 4;
}
