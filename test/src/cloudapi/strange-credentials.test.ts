/** Whatever is sent as a signature or a token, CloudAPI refuses it, or takes it for what it is: it never fails over it. */
import fc from 'fast-check';
import t from 'tap';
import { asker, cloudapiInProcess, makePeople } from '../../helpers/cloudapi.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { olderHeaders, presigned } from '../../helpers/signing.ts';
import { makeToken, TOKEN_KEYS } from '../../helpers/tokens.ts';

const people = makePeople();
const { alice } = people;
const server = await startInProcess(t);
const keys = { tokenKeys: TOKEN_KEYS };
const cloudapi = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url, keys });
const ask = asker(t, cloudapi.url);
const { host } = new URL(cloudapi.url);

const RUNS = { numRuns: 300 };
const EXPECTED = [200, 400, 401, 403, 404, 414, 422];

/** What a header may hold. */
const text = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 80,
});

/** The text with a piece of it taken away, doubled, or replaced. */
const spoiled = (whole: string) =>
  fc
    .tuple(
      fc.nat(whole.length),
      fc.nat(20),
      fc.oneof(text, fc.constant(''), fc.constantFrom('"', ',', '=', '/', ' ', '%', '\\')),
    )
    .map(([at, length, piece]) => `${whole.slice(0, at)}${piece}${whole.slice(at + length)}`);

t.test('the header Authorization, and the date that it signs', async (t) => {
  const { authorization = '', date = '' } = olderHeaders({ as: alice });
  const strange = fc.oneof(
    text,
    text.map((rest) => `Signature ${rest}`),
    spoiled(authorization),
  );
  await fc.assert(
    fc.asyncProperty(strange, fc.oneof(fc.constant(date), spoiled(date), text), async (header, when) => {
      const { status } = await ask('/my', {
        headers: { authorization: header.trim() || 'x', date: when.trim() || 'x' },
      });
      return EXPECTED.includes(status);
    }),
    RUNS,
  );
  t.equal((await ask('/my', { headers: { authorization, date } })).status, 200);
});

t.test('the parameters that sign a URL', async (t) => {
  const good = presigned('/my', { as: alice }, { host });
  const query = good.slice(good.indexOf('?') + 1);
  await fc.assert(
    fc.asyncProperty(fc.oneof(spoiled(query), text), async (strange) => {
      const target = `/my?${encodeURI(strange).replaceAll('#', '%23')}`;
      return EXPECTED.includes((await ask(target)).status);
    }),
    RUNS,
  );
  t.equal((await ask(good)).status, 200);
});

t.test('tokens, also those that a holder of the key has made', async () => {
  const headers = olderHeaders({ as: alice });
  const token = makeToken({ account: { uuid: alice.uuid }, permissions: { cloudapi: ['/my'] } });
  const made = fc.anything({ maxDepth: 3, withBigInt: false }).map((content) => makeToken(content ?? null));
  const shaped = fc
    .record(
      {
        account: fc.oneof(fc.anything({ withBigInt: false }), fc.constant({ uuid: alice.uuid })),
        subuser: fc.anything({ withBigInt: false }),
        devkeyId: fc.constant(/keyId="([^"]+)"/.exec(headers['authorization'] ?? '')?.[1]),
        permissions: fc.oneof(
          fc.constantFrom({ cloudapi: ['/my'] }, { cloudapi: [{ toString: 1 }] }),
          fc.anything({ withBigInt: false }),
        ),
        expires: fc.oneof(fc.anything({ withBigInt: false }), fc.constantFrom(undefined, { toString: 1 })),
      },
      { requiredKeys: ['devkeyId'] },
    )
    .map((content) => makeToken(content));
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, spoiled(token), made, shaped), async (strange) => {
      const { status } = await ask('/my', { headers: { ...headers, 'x-auth-token': strange.trim() || '{}' } });
      return EXPECTED.includes(status);
    }),
    RUNS,
  );
});
