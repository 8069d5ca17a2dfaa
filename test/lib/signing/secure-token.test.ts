/** Tokens of keyapi, made here in the way of `sdc-securetoken`. */
import { test } from 'tap';
import { openToken, TokenError } from '#lib/signing/secure-token.ts';
import { makeToken, TOKEN_KEYS, TOKEN_UUID } from '../../helpers/tokens.ts';

const CONTENT = { account: { uuid: 'a' }, expires: '2026-01-01T00:00:00Z', text: 'ünïcode ✓' };

async function problemOf(text: string, keys = TOKEN_KEYS): Promise<string> {
  const error = await openToken(text, keys).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof TokenError) return error.message;
  throw new Error('a TokenError was expected', { cause: error });
}

test('a token is opened with the key that it names, as old and as new versions of node used keys', async (t) => {
  for (const encoding of ['latin1', 'utf8'] as const) {
    t.strictSame(await openToken(makeToken(CONTENT, { encoding }), TOKEN_KEYS), CONTENT, encoding);
  }
  t.strictSame(await openToken(JSON.stringify(makeToken(CONTENT)), TOKEN_KEYS), CONTENT, 'JSON in JSON');
  t.strictSame(await openToken(makeToken(JSON.stringify(CONTENT)), TOKEN_KEYS), CONTENT, 'and inside');
});

test('what was changed, or made with another key, is refused', async (t) => {
  const token = JSON.parse(makeToken(CONTENT)) as Record<string, string>;
  const changed = (fields: object): string => JSON.stringify({ ...token, ...fields });
  t.match(await problemOf(changed({ data: `${token['data']?.slice(0, -4)}AAA=` })), /was changed/);
  t.match(await problemOf(changed({ hash: 'AAAA' })), /was changed/);
  t.match(await problemOf(changed({ keyid: 'constructor' })), /no key/);
  t.match(await problemOf(makeToken(CONTENT), {}), /no key/);
  t.match(await problemOf(makeToken(CONTENT), { [TOKEN_UUID]: '00'.repeat(32) }), /was changed/);
  t.match(await problemOf(changed({ version: '0.2.0' })), /another version/);
});

test('what is no token is refused, whatever it is', async (t) => {
  for (const text of ['', 'nonsense', '{}', '[]', 'null', '7', '"{}"', '{"keyid":1,"data":2,"hash":3}']) {
    t.ok(await problemOf(text), text);
  }
});

test('content that cannot be read, or is too large, is refused although its maker had the key', async (t) => {
  t.match(await problemOf(makeToken('not JSON')), /JSON|cannot be read/);
  t.match(await problemOf(makeToken({ large: 'x'.repeat(1_000_000) })), /cannot be read/);
});
