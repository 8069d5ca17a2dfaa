/** Every request that Triton's client can make, in each mode of a server, by operators and by nobody. */
import { type Test, test } from 'tap';
import { nameOf, SERVED_MODES, serve } from '../modes.ts';
import { METHODS, refusalOf } from './client.ts';
import { FROM_ELSEWHERE } from './from-elsewhere.ts';
import { Given, type MethodTest, type MethodTests } from './given.ts';
import { OF_FILES } from './of-files.ts';
import { OF_IMAGES } from './of-images.ts';
import { OF_THE_SERVICE } from './of-the-service.ts';

const UNAUTHORIZED = { status: 401, code: 'UnauthorizedError' };
const NOT_FOUND = { status: 404, code: 'ResourceNotFound' };

const TESTED: MethodTests = { ...OF_THE_SERVICE, ...OF_IMAGES, ...OF_FILES, ...FROM_ELSEWHERE };

test('no method of the client is left out', async (t) => {
  t.same(Object.keys(TESTED).toSorted(), METHODS.toSorted());
});

for (const mode of SERVED_MODES) {
  test(`in ${nameOf(mode)}`, async (t) => {
    const given = await Given.in(t, ({ url }) =>
      serve(t, mode, {
        ...{ allowInsecure: true, sources: { allowPrivateAddresses: true } },
        ...(mode.mode === 'dc' && { datacenterName: 'here', imgapiUrlFromDatacenter: { elsewhere: url } }),
      }),
    );
    for (const [method, tested] of Object.entries(TESTED)) await t.test(method, (t) => holds(t, given, method, tested));
  });
}

async function holds(t: Test, given: Given, method: string, tested: MethodTest): Promise<void> {
  const { args: make, refusal, isAbsent, isOpen, check } = tested;
  const { call, anonymous, authType } = given.served;
  const args = await make(given);
  const isForAll = isOpen || authType === 'none';
  const nobodyIs = isAbsent?.(given) ? NOT_FOUND : isForAll ? undefined : UNAUTHORIZED;
  if (nobodyIs) t.same(await refusalOf(anonymous(method, ...args)), nobodyIs, 'nobody may');
  const caller = isForAll ? anonymous : call;
  const expected = isAbsent?.(given) ? NOT_FOUND : refusal?.(given);
  if (expected) t.same(await refusalOf(caller(method, ...args)), expected);
  else await check(t, await caller(method, ...args), args, given);
}
