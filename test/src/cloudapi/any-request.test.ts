/**
 * Requests to CloudAPI of any operation with any parameters, headers and bodies, half of them signed. Each is answered as
 * the contract says, none is a fault of ours, and the process stays the same one.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { Pool } from 'undici';
import { CLOUDAPI_VERSIONS } from '#lib/api/cloudapi/form.ts';
import { CLOUDAPI } from '#lib/api/cloudapi/operations.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type AnyRequest, anyRequest, problemOf, sendAny } from '../../helpers/any-request.ts';
import { makePeople, signedHeaders, spawnCloudapi } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { PATIENCE_MS } from '../../helpers/wait.ts';

const AT_ONCE = 25;
const TURNS = 120;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_127);

const EXCUSED = ['StorageUnsupported', 'NotAvailable', 'RemoteSourceError'];

test('whatever accounts and strangers ask is answered', async (t) => {
  const { carol: _carol, ...people } = makePeople();
  const imgapi = await spawnImgapi(t);
  const client = imgapi.client();
  const { image: base } = await makeImage(client, {}, { owner: ALICE, size: 10 });
  await makeImage(client, { origin: base.uuid }, { owner: ALICE, size: 10 });
  const cloudapi = await spawnCloudapi(t, { people: Object.values(people), imgapi: imgapi.url });
  const pool = new Pool(cloudapi.url, { connections: AT_ONCE, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  t.teardown(() => pool.destroy());

  const statuses = new Map<number, number>();
  const send = async ({ name, method, target, headers, body, signed }: AnyRequest): Promise<void> => {
    const as = headers['x-request-id'] === undefined ? people.bob : people.admin;
    const answer = await pool.request({
      ...{ method, path: target, headers: { ...headers, ...(signed && signedHeaders(method, target, { as })) } },
      ...(body !== undefined && { body }),
    });
    const problem = problemOf(answer.statusCode, await answer.body.text(), EXCUSED);
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    if (problem !== undefined) throw new Error(`${name}: ${problem}`);
  };
  const request = anyRequest(CLOUDAPI, {
    parts: { account: ['my', 'my', 'bob', 'alice', ALICE], uuid: [base.uuid, randomUUID()] },
    versions: [...CLOUDAPI_VERSIONS, '*', '~6.5', '~99'],
  });
  await sendAny(request, { turns: TURNS, atOnce: AT_ONCE, seed: SEED }, send);
  const tally = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  t.comment(tally.join(', '));
  t.ok((statuses.get(200) ?? 0) > 100, 'many of them are right');
  for (const { process } of [imgapi, cloudapi]) t.same([process.exitCode, process.signalCode], [null, null]);
});
