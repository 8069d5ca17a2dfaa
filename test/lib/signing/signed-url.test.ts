import { test } from 'tap';
import { SignedUrlError } from '#lib/signing/errors.ts';
import { signUrl, type VerifyUrlOptions, verifyUrl } from '#lib/signing/signed-url.ts';

const NOW = Date.parse('2026-05-06T07:08:09Z');
const SECRET = 'a secret of this service';
const PATH = '/pulls/20260506/0965c1f4-6995-c095-ecb5-c1a80be2b08e.file0.7d1f';
const OPTIONS = { baseUrl: 'http://10.1.2.3:8443', path: PATH, expires: new Date(NOW + 60_000), secret: SECRET };

function check(url: string, options: Partial<VerifyUrlOptions> = {}) {
  const { pathname, search } = new URL(url);
  return verifyUrl({ method: 'GET', url: pathname + search, secrets: [SECRET], clock: { now: () => NOW }, ...options });
}

test('a signed URL opens its path until it expires', (t) => {
  const url = signUrl(OPTIONS);
  t.match(url, /^http:\/\/10\.1\.2\.3:8443\/pulls\//);
  t.match(check(url), { path: PATH, expires: new Date(NOW + 60_000) });
  t.match(check(url, { method: 'HEAD' }), { path: PATH });
  t.ok(check(url, { clock: { now: () => NOW + 59_999 } }));
  t.throws(() => check(url, { clock: { now: () => NOW + 60_000 } }), {
    name: 'SignedUrlError',
    fault: 'expired',
    message: /expired at 2026-05-06T07:09:09/,
  });
  t.end();
});

test('other query parameters are covered and answered', (t) => {
  const url = signUrl({ ...OPTIONS, query: { name: 'file 0', 'a&b': '=' } });
  t.strictSame(Object.fromEntries(check(url).query), { name: 'file 0', 'a&b': '=' });
  t.throws(() => check(`${url}&more=1`), { name: 'SignedUrlError', fault: 'bad' });
  t.end();
});

test('the order of the query does not matter', (t) => {
  const url = new URL(signUrl({ ...OPTIONS, query: { z: '1', a: '2' } }));
  url.searchParams.sort();
  t.ok(check(url.href));
  t.end();
});

test('whatever is covered cannot be changed', (t) => {
  const url = signUrl(OPTIONS);
  const changed = (name: string, value: string) => {
    const copy = new URL(url);
    copy.searchParams.set(name, value);
    return copy.href;
  };
  const cases: Record<string, string> = {
    path: url.replace('.7d1f', '.7d10'),
    expires: changed('expires', '9999999999'),
    methods: changed('methods', 'GET,HEAD,PUT'),
    signature: changed('signature', 'AAAA'),
    'no signature': url.replace(/&signature=[^&]*/, ''),
    'no expires': url.replace(/expires=[^&]*&/, ''),
    'expires twice': `${url}&expires=9999999999`,
    'signature twice': `${url}&signature=AAAA`,
    'no query': url.replace(/\?.*/, ''),
  };
  for (const [what, bad] of Object.entries(cases)) {
    t.throws(() => check(bad), { name: 'SignedUrlError', fault: 'bad' }, what);
  }
  t.throws(() => check(url, { secrets: ['another'] }), { name: 'SignedUrlError', fault: 'bad' });
  t.throws(() => check(url, { secrets: [] }), { name: 'SignedUrlError', fault: 'bad' });
  t.end();
});

test('a URL serves only the methods that it is signed for', (t) => {
  t.throws(() => check(signUrl(OPTIONS), { method: 'PUT' }), {
    fault: 'bad',
    message: /signed for GET,HEAD, not for PUT/,
  });
  const put = signUrl({ ...OPTIONS, methods: ['PUT'] });
  t.ok(check(put, { method: 'PUT' }));
  t.throws(() => check(put), SignedUrlError);
  t.end();
});

test('while the secret is replaced both verify', (t) => {
  t.ok(check(signUrl(OPTIONS), { secrets: ['new', SECRET] }));
  t.end();
});

test('a proxy may take a path prefix away', (t) => {
  const url = signUrl({ ...OPTIONS, baseUrl: 'https://proxy.example.com/imgapi/' });
  t.match(url, /^https:\/\/proxy\.example\.com\/imgapi\/pulls\//);
  t.ok(check(url.replace('/imgapi', '')));
  t.throws(() => signUrl({ ...OPTIONS, path: '/x?y' }), TypeError);
  t.throws(() => signUrl({ ...OPTIONS, path: 'x' }), TypeError);
  t.end();
});
