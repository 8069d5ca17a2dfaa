/**
 * Requests of any operation with any parameters, headers and bodies. Each is answered as the contract says, none is a
 * fault of ours, the process stays the same one, and what it takes of memory does not grow.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { Pool } from 'undici';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { operatorTokenPath } from '#src/service/operator-token.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type AnyRequest, anyRequest, problemOf, sendAny } from '../../helpers/any-request.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { residentBytes } from '../../helpers/resident.ts';
import { PATIENCE_MS } from '../../helpers/wait.ts';

const AT_ONCE = 50;
const TURNS = 430;
/** After so many turns its caches are full, and V8 has compiled what it will. */
const WARM_TURNS = 120;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_127);
const MIB = 2 ** 20;

const EXCUSED = ['StorageUnsupported', 'NotAvailable', 'RemoteSourceError'];

test('whatever is asked of whichever operation is answered, and leaves nothing behind', async (t) => {
  const server = await spawnImgapi(t);
  const client = server.client();
  const { image: base } = await makeImage(client, {}, { owner: ALICE, size: 10 });
  // It cannot be deleted while something builds on it.
  await makeImage(client, { origin: base.uuid }, { owner: ALICE, size: 10 });
  const child = await client.createImage({ ...MANIFEST, owner: ALICE });
  const token = (await readFile(operatorTokenPath(server.dataDir), 'utf8')).trim();
  const pool = new Pool(server.url, { connections: AT_ONCE, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  t.teardown(() => pool.destroy());

  const statuses = new Map<number, number>();
  const send = async ({ name, method, target, headers, body, signed }: AnyRequest): Promise<void> => {
    // A sample of every error, of faults too.
    if (target.startsWith('/ping?') && target.includes('error=')) return;
    const answer = await pool.request({
      ...{ method, path: target, headers: { ...headers, ...(signed && { authorization: `Bearer ${token}` }) } },
      ...(body !== undefined && { body }),
    });
    const problem = problemOf(answer.statusCode, await answer.body.text(), EXCUSED);
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    if (problem !== undefined) throw new Error(`${name}: ${problem}`);
  };
  const request = anyRequest(IMGAPI, {
    parts: { uuid: [base.uuid, child.uuid, randomUUID()] },
    versions: ['~1', '~2', '~3', '*', '~99'],
  });

  await sendAny(request, { turns: WARM_TURNS, atOnce: AT_ONCE, seed: SEED }, send);
  const pid = server.process.pid as number;
  const isMeasured = process.platform === 'linux';
  const before = isMeasured ? (await residentBytes(pid)).now : 0;
  await sendAny(request, { turns: TURNS - WARM_TURNS, atOnce: AT_ONCE, seed: SEED + 1 }, send);
  const after = isMeasured ? (await residentBytes(pid)).now : 0;
  const tally = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  t.comment(`${tally.join(', ')}; ${Math.round(before / MIB)} MiB, then ${Math.round(after / MIB)} MiB`);
  t.ok(after - before < 60 * MIB, `${Math.round((after - before) / MIB)} MiB more`);
  const sent = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  t.ok(sent >= 20_000, `${sent} requests`);
  t.ok((statuses.get(200) ?? 0) > 1000, 'many of them are right');
  t.equal((await client.ping()).pid, pid);
  t.match(await client.getImage(base.uuid), { uuid: base.uuid, files: base.files });
});
