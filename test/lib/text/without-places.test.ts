import { test } from 'tap';
import { withoutPlaces } from '#lib/text/without-places.ts';

const TEXTS: readonly (readonly [text: string, shown: string])[] = [
  [
    'http://10.0.0.5:8443/images/1 cannot be reached: connect ECONNREFUSED 10.0.0.5:8443',
    '(hidden) cannot be reached: connect ECONNREFUSED (hidden)',
  ],
  ['https://imgapi.east.lan: it did not answer', '(hidden): it did not answer'],
  ['getaddrinfo ENOTFOUND imgapi', 'getaddrinfo ENOTFOUND (hidden)'],
  ['getaddrinfo EAI_AGAIN imgapi.lan', 'getaddrinfo EAI_AGAIN (hidden)'],
  ['connect EHOSTUNREACH fd00::5:80 - Local (10.0.0.6:4711)', 'connect EHOSTUNREACH (hidden) - Local ((hidden))'],
  ['http://[fd00::5]/x redirects to http://10.0.0.7/', '(hidden) redirects to (hidden)'],
  ['"east" is at 10.0.0.5, a private address', '"east" is at (hidden), a private address'],
  ['it is at ::ffff:10.0.0.5.', 'it is at (hidden)'],
  [
    "Hostname/IP does not match certificate's altnames: Host: a.lan. is not in the cert's altnames: DNS:b.lan",
    "Hostname/IP does not match certificate's altnames: (hidden)",
  ],
];

test('what is told says what went wrong, and not where', (t) => {
  for (const [text, shown] of TEXTS) t.equal(withoutPlaces(text), shown);
  t.end();
});

test('all else stays', (t) => {
  for (const text of [
    'image "a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef" not found in datacenter "east"',
    'the clock (2026-11-27T05:37:19.000Z) is 302 s behind ours (05:42:20)',
    'the version is 1.2.3, size: 50000, cafe: bad',
    'read ECONNRESET',
    'ENOSPC: no space left',
    '',
  ]) {
    t.equal(withoutPlaces(text), text);
  }
  t.end();
});
